def fn(input, headers):
    raise ValueError(input or "")
