def fn(input, headers):
    seen = sorted((name.lower(), value) for name, value in headers.items())
    return "".join(f"{name}: {value}\n" for name, value in seen if name.startswith("x-tinyfaas-"))
