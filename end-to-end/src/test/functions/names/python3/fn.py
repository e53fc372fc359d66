# Answers the header that the body names (in lower case) with its name and value as a function gets them.
def fn(input, headers):
    print("asked for", input)
    name = next(name for name in headers if name.lower() == input)
    return f"{name}={headers[name]}"
