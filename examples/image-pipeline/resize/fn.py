"""Shrinks an image (PPM, three bytes for each pixel) to ?width=, each pixel the mean of those that it stands for."""

import re
from urllib.parse import parse_qs


def fn(input: bytes, headers):
    width = int(parse_qs(headers.get("X-Tinyfaas-Query", "")).get("width", ["16"])[0])
    head = re.match(rb"P6\s+(\d{1,4})\s+(\d{1,4})\s+255\s", input)
    columns, rows = (int(head[1]), int(head[2])) if head else (0, 0)
    if not 0 < width <= columns or not rows or len(input) != head.end() + 3 * columns * rows:
        return f"A PPM (P6) at least {width} pixels wide is wanted, with 255 as the brightest.\n", 400
    pixels = memoryview(input)[head.end() :]
    size = columns // width
    small = bytearray()
    for y in range(0, max(rows // size, 1)):
        for x in range(width):
            lines = [pixels[3 * (line * columns + x * size) :][: 3 * size] for line in range(y * size, min((y + 1) * size, rows))]
            for colour in range(3):
                small.append(sum(sum(line[colour::3]) for line in lines) // (size * len(lines)))
    return b"P6 %d %d 255\n" % (width, len(small) // (3 * width)) + small
