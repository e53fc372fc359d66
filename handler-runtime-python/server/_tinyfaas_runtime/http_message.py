"""HTTP/1.1 messages (RFC 9112) as far as the handler contract needs them, strict and bounded."""

import re

MAX_HEAD = 16 * 1024  # with the empty line at its end
MAX_FIELDS = 100
MAX_CHUNK_LINE = 1024
MAX_INTERIM = 8
RECEIVE = 64 * 1024

TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"

_REASONS = {200: "OK", 404: "Not Found", 413: "Content Too Large", 500: "Internal Server Error", 503: "Service Unavailable"}
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2})(?: [^\x00-\x08\x0a-\x1f\x7f]*)?")
_REQUEST_LINE = re.compile(rb"(%s) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])" % _TOKEN)
_FIELD = re.compile(rb"(%s):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)" % _TOKEN)
_FIELD_NAME = re.compile(_TOKEN.decode())
_NO_FIELD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?")

# What belongs to the connection and not to an answer, so that no function says it (RFC 9110, 7.6.1).
_OF_THE_CONNECTION = frozenset(
    ("connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
)


class Refused(Exception):
    """A request that is answered with `status`, and whose connection is then closed."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Request:
    """`fields` are pairs of name and value as they came; `connection` is the socket on which the answer is awaited."""

    __slots__ = ("method", "target", "fields", "body", "keep", "connection")

    def field(self, name):
        """The value of the field called `name` (in lower case); None if it is absent."""
        values = [value for key, value in self.fields if key.lower() == name]
        return ", ".join(values) if values else None


class Answer:
    """`fields` are pairs of name and value without the length; `body` is bytes."""

    __slots__ = ("status", "fields", "body")

    def __init__(self, status, fields, body):
        self.status = status
        self.fields = fields
        self.body = body

    @staticmethod
    def text(status, text, *fields):
        return Answer(status, [("Content-Type", TEXT), *fields], text.encode("utf-8", "replace"))

    def head(self):
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, '')}"]
        lines += [f"{name}: {value}" for name, value in self.fields]
        if self.status not in (204, 304):  # RFC 9110, 8.6
            lines.append(f"Content-Length: {len(self.body)}")
        lines.append("\r\n")
        return "\r\n".join(lines).encode("latin-1")


def checked_status(status):
    """A status that ends an exchange; anything else is the function's mistake."""
    if type(status) is int and 200 <= status <= 599:
        return status
    raise ValueError(f"The status {status!r} is not a whole number from 200 to 599.")


def checked_fields(fields, default_type):
    """Of pairs that a function set, those that are its to set, with a Content-Type unless there is nothing to have one."""
    checked = []
    for name, value in fields:
        name, value = str(name), str(value)
        if not _FIELD_NAME.fullmatch(name) or _NO_FIELD_VALUE.search(value):
            raise ValueError(f"The header {name!r} with the value {value[:60]!r} cannot be sent in HTTP.")
        if name.lower() not in _OF_THE_CONNECTION:
            checked.append((name, value))
    if default_type is not None and not any(name.lower() == "content-type" for name, _ in checked):
        checked.insert(0, ("Content-Type", default_type))
    return checked


def _fields(lines):
    """The pairs of name and value, and by name in lower case the values of those that say where a message ends."""
    if len(lines) > MAX_FIELDS:
        raise Refused(431, f"The head has more than {MAX_FIELDS} header fields.")
    fields, framing = [], {}
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise Refused(400, "A header field is not valid.")
        name, value = field[1].decode(), field[2].rstrip(b" \t").decode("latin-1")
        fields.append((name, value))
        key = name.lower()
        if key in ("content-length", "transfer-encoding", "connection", "expect"):
            framing.setdefault(key, []).append(value)
    return fields, framing


def _is_kept(framing):
    return "close" not in ",".join(framing.get("connection", ())).lower()


class RequestReader:
    """Reads one request after the other from a connection; what has come of later ones waits in `buffer`."""

    def __init__(self, connection, max_body):
        self._connection = connection
        self._max_body = max_body
        self.buffer = bytearray()
        self.busy = False  # from a request's first byte on, until the next one is waited for

    def read(self):
        """The next request; None once the other side has closed the connection.

        Raises Refused where the request is none or too large, and OSError where the connection breaks.
        """
        self.busy = bool(self.buffer)
        try:
            head = self._head()
            if head is None:
                return None
            request, fields = self._parse(head)
            request.body = self._body(fields)
            return request
        except EOFError:
            return None

    def _receive(self):
        some = self._connection.recv(RECEIVE)
        if not some:
            raise EOFError
        self.busy = True
        self.buffer += some

    def _take(self, count):
        while len(self.buffer) < count:
            self._receive()
        taken = bytes(memoryview(self.buffer)[:count])
        del self.buffer[:count]
        return taken

    def _head(self):
        buffer = self.buffer
        while True:
            if buffer.startswith(b"\r\n"):  # RFC 9112, 2.2
                del buffer[:2]
            end = buffer.find(b"\r\n\r\n")
            if end + 4 > MAX_HEAD or (end < 0 and len(buffer) >= MAX_HEAD):
                raise Refused(431, f"The head is larger than {MAX_HEAD} bytes.")
            if end >= 0:
                return self._take(end + 4)[:end]
            self._receive()

    def _parse(self, head):
        first, *lines = head.split(b"\r\n")
        line = _REQUEST_LINE.fullmatch(first)
        if line is None:
            raise Refused(400, "This is not a request of HTTP/1.1.")
        request = Request()
        request.method = line[1].decode()
        request.target = line[2].decode("latin-1")
        request.connection = self._connection
        request.fields, framing = _fields(lines)
        request.keep = line[3] == b"1" and _is_kept(framing)
        return request, framing

    def _body(self, framing):
        codings, lengths = framing.get("transfer-encoding"), framing.get("content-length")
        if codings is not None:
            if lengths is not None:  # RFC 9112, 6.3: this is how requests are smuggled
                raise Refused(400, "The request has a Content-Length and a Transfer-Encoding.")
            if [coding.lower() for coding in codings] != ["chunked"]:
                raise Refused(501, "The only transfer coding here is chunked.")
            self._allow(framing)
            return self._chunks()
        if lengths is None:
            return b""
        if len(set(lengths)) > 1 or not (lengths[0].isascii() and lengths[0].isdigit()) or len(lengths[0]) > 18:
            raise Refused(400, "The Content-Length is not one number.")
        length = int(lengths[0])
        if length > self._max_body:
            raise self._too_large()
        if length > 0:
            self._allow(framing)
        return self._take(length)

    def _allow(self, framing):
        if not self.buffer and "100-continue" in ",".join(framing.get("expect", ())).lower():
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _chunks(self):
        body = bytearray()
        while True:
            size = _CHUNK.fullmatch(self._line())
            if size is None:
                raise Refused(400, "A chunk of the body has no valid size.")
            size = int(size[1], 16)
            if len(body) + size > self._max_body:
                raise self._too_large()
            if size == 0:
                break
            body += self._take(size)
            if self._take(2) != b"\r\n":
                raise Refused(400, "A chunk of the body is longer than it says.")
        for _ in range(MAX_FIELDS):  # trailers, of which the contract knows none
            if not self._line():
                return bytes(body)
        raise Refused(431, f"The request has more than {MAX_FIELDS} trailers.")

    def _line(self):
        while (end := self.buffer.find(b"\r\n")) < 0:
            if len(self.buffer) > MAX_CHUNK_LINE:
                break
            self._receive()
        if not 0 <= end <= MAX_CHUNK_LINE:
            raise Refused(400, f"A line of the chunked body is longer than {MAX_CHUNK_LINE} bytes.")
        return self._take(end + 2)[:end]

    def _too_large(self):
        return Refused(413, f"The body is larger than {self._max_body} bytes.")


class AnswerReader(RequestReader):
    """Reads answers, by the same rules: one for each request that has been sent on the connection."""

    def read_answer(self, method):
        """Status, fields, body, and whether the connection goes on.

        Raises Refused where it is none or too large, EOFError where the connection ends before it does, and OSError.
        """
        for _ in range(MAX_INTERIM + 1):
            head = self._head()
            first, *lines = head.split(b"\r\n")
            line = _STATUS_LINE.fullmatch(first)
            if line is None:
                raise Refused(502, "This is not an answer of HTTP/1.1.")
            status, (fields, framing) = int(line[1]), _fields(lines)
            if status >= 200:
                break
        else:
            raise Refused(502, f"More than {MAX_INTERIM} answers come before the answer.")
        if method == "HEAD" or status in (204, 304):
            return status, fields, b"", _is_kept(framing)
        if framing.keys().isdisjoint(("content-length", "transfer-encoding")):
            raise Refused(502, "The answer does not say how long it is.")
        framing.pop("expect", None)  # means nothing here
        return status, fields, self._body(framing), _is_kept(framing)
