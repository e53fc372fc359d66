def fn(input, headers):
    return "made", 201, {"Location": "/things/7"}
