def fn(input: bytes, headers):
    return input, 200, {"Content-Type": headers.get("Content-Type", "application/octet-stream")}
