from urllib.parse import parse_qs


def fn(input, headers):
    """`input` is the body as text, None if there is none."""
    names = parse_qs(headers.get("X-Tinyfaas-Query", "")).get("name", ["world"])
    return f"Hello, {input or names[0]}!"
