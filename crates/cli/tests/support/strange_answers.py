"""The answers of strange_server.py, by path.

FIXED holds those that are the same bytes whatever was asked; after them the connection is closed, but for KEPT.
ANSWERS holds functions: they are given the connection and the request, and return KEEP when the connection goes on.
"""

import base64
import gzip
import hashlib
import re
import time
import zlib

KEEP = True
OK = b"HTTP/1.1 200 OK\r\n"
TEXT = b"".join(b"line %d of what was asked for\n" % n for n in range(40))


def head(fields=b"", status=b"200 OK"):
    """A head from lines without their ends."""
    lines = b"".join(line + b"\r\n" for line in fields.splitlines()) if fields else b""
    return b"HTTP/1.1 " + status + b"\r\n" + lines + b"\r\n"


def whole(body, fields=b"", status=b"200 OK"):
    """An answer with its length."""
    return head(b"Content-Length: %d\r\n" % len(body) + fields, status) + body


def chunks(*parts, end=b"0\r\n\r\n", fields=b""):
    framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return head(b"Transfer-Encoding: chunked\r\n" + fields) + framed + end


def coded(name, body, **more):
    return whole(body, b"Content-Encoding: " + name, **more)


def raw_deflate(data):
    pack = zlib.compressobj(wbits=-15)
    return pack.compress(data) + pack.flush()


GZ = gzip.compress(TEXT, mtime=0)
CHUNKED = b"Transfer-Encoding: chunked"

# -- how a body ends

LENGTHS = {
    "/length/right": whole(b"hello"),
    "/length/none": OK + b"\r\n" + TEXT,
    "/length/none-1.0": b"HTTP/1.0 200 OK\r\n\r\n" + TEXT,
    "/length/too-long": head(b"Content-Length: 1000") + b"x" * 100,
    "/length/too-short": head(b"Content-Length: 5") + b"hello, world",
    "/length/zero-with-body": head(b"Content-Length: 0") + b"hello",
    "/length/negative": head(b"Content-Length: -5") + b"hello",
    "/length/beyond-64-bit": head(b"Content-Length: 99999999999999999999") + b"hello",
    "/length/largest": head(b"Content-Length: 9223372036854775807") + b"hello",
    "/length/junk": head(b"Content-Length: five") + b"hello",
    "/length/junk-behind": head(b"Content-Length: 5 apples") + b"hello",
    "/length/plus": head(b"Content-Length: +5") + b"hello",
    "/length/empty": head(b"Content-Length:") + b"hello",
    "/length/blanks": head(b"Content-Length: \t 5 \t ") + b"hello",
    "/length/hex": head(b"Content-Length: 0x5") + b"hello",
    "/length/twice-same": head(b"Content-Length: 5\r\nContent-Length: 5") + b"hello",
    "/length/twice-different": head(b"Content-Length: 5\r\nContent-Length: 3") + b"hello",
    "/length/list-same": head(b"Content-Length: 5, 5") + b"hello",
    "/length/list-different": head(b"Content-Length: 5, 3") + b"hello",
    "/length/and-chunked": head(b"Content-Length: 3\r\n" + CHUNKED) + b"5\r\nhello\r\n0\r\n\r\n",
    "/length/after-chunked": head(CHUNKED + b"\r\nContent-Length: 3") + b"5\r\nhello\r\n0\r\n\r\n",
}

CHUNKS = {
    "/chunked/right": chunks(b"hello, ", b"world\n"),
    "/chunked/none": chunks(),
    "/chunked/many": chunks(*[b"%04d\n" % n for n in range(2000)]),
    "/chunked/upper-case": head(CHUNKED) + b"1A\r\n" + b"x" * 26 + b"\r\n0\r\n\r\n",
    "/chunked/leading-zeros": head(CHUNKED) + b"000005\r\nhello\r\n000\r\n\r\n",
    "/chunked/many-zeros": head(CHUNKED) + b"0" * 40 + b"5\r\nhello\r\n0\r\n\r\n",
    "/chunked/bad-size": head(CHUNKED) + b"zz\r\nhello\r\n0\r\n\r\n",
    "/chunked/empty-size": head(CHUNKED) + b"\r\nhello\r\n0\r\n\r\n",
    "/chunked/negative": head(CHUNKED) + b"-5\r\nhello\r\n0\r\n\r\n",
    "/chunked/overflow": head(CHUNKED) + b"ffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "/chunked/huge": head(CHUNKED) + b"7fffffffffffffff\r\nhello",
    "/chunked/prefix-0x": head(CHUNKED) + b"0x5\r\nhello\r\n0\r\n\r\n",
    "/chunked/blank-behind": head(CHUNKED) + b"5  \r\nhello\r\n0\r\n\r\n",
    "/chunked/blank-before": head(CHUNKED) + b" 5\r\nhello\r\n0\r\n\r\n",
    "/chunked/junk-behind": head(CHUNKED) + b"5 x\r\nhello\r\n0\r\n\r\n",
    "/chunked/extension": head(CHUNKED) + b'5;a=b;c="d;e"\r\nhello\r\n0;end\r\n\r\n',
    "/chunked/long-extension": head(CHUNKED) + b"5;" + b"a" * 20000 + b"\r\nhello\r\n0\r\n\r\n",
    "/chunked/without-crlf": head(CHUNKED) + b"5\r\nhello5\r\nworld0\r\n\r\n",
    "/chunked/bare-lf": head(CHUNKED) + b"5\nhello\n0\n\n",
    "/chunked/truncated": head(CHUNKED) + b"5\r\nhello\r\n64\r\ncut ",
    "/chunked/truncated-size": head(CHUNKED) + b"5\r\nhello\r\n1",
    "/chunked/no-end": head(CHUNKED) + b"5\r\nhello\r\n",
    "/chunked/half-end": head(CHUNKED) + b"5\r\nhello\r\n0\r\n",
    "/chunked/trailers": chunks(b"hello", end=b"0\r\nX-Sum: 42\r\nX-Other: yes\r\n\r\n", fields=b"Trailer: X-Sum"),
    "/chunked/bad-trailer": chunks(b"hello", end=b"0\r\nno colon here\r\n\r\n"),
    "/chunked/extra": chunks(b"hello") + b"more than there should be",
    "/chunked/1.0": b"HTTP/1.0 200 OK\r\n" + CHUNKED + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "/chunked/case": head(b"transfer-encoding: CHUNKED") + b"5\r\nhello\r\n0\r\n\r\n",
    "/chunked/twice": head(CHUNKED + b"\r\n" + CHUNKED) + b"5\r\nhello\r\n0\r\n\r\n",
    "/transfer/identity": head(b"Transfer-Encoding: identity\r\nContent-Length: 5") + b"hello",
    "/transfer/unknown": head(b"Transfer-Encoding: rot13") + b"uryyb",
    "/transfer/unknown-chunked": head(b"Transfer-Encoding: rot13, chunked") + b"5\r\nuryyb\r\n0\r\n\r\n",
    "/transfer/gzip-chunked": head(b"Transfer-Encoding: gzip, chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(GZ), GZ),
    "/transfer/chunked-gzip": head(b"Transfer-Encoding: chunked, gzip") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(GZ), GZ),
}

# -- heads

HEADS = {
    "/head/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "/head/1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "/head/2": b"HTTP/2 200\r\nContent-Length: 5\r\n\r\nhello",
    "/head/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "/head/3": b"HTTP/3 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "/head/7.1": b"HTTP/7.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "/head/no-version": b"HTTP/ 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "/head/lower-case": b"http/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "/head/icy": b"ICY 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "/head/no-reason": b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
    "/head/empty-reason": b"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello",
    "/head/odd-reason": b"HTTP/1.1 200 \xe4\xb8\x80 \t fine!\r\nContent-Length: 5\r\n\r\nhello",
    "/head/two-blanks": b"HTTP/1.1  200  OK\r\nContent-Length: 5\r\n\r\nhello",
    "/head/tab": b"HTTP/1.1\t200\tOK\r\nContent-Length: 5\r\n\r\nhello",
    "/head/099": whole(b"hello", status=b"099 What"),
    "/head/0": whole(b"hello", status=b"000 Nothing"),
    "/head/600": whole(b"hello", status=b"600 Beyond"),
    "/head/999": whole(b"hello", status=b"999 Far Beyond"),
    "/head/20": whole(b"hello", status=b"20 OK"),
    "/head/2000": whole(b"hello", status=b"2000 OK"),
    "/head/no-status": whole(b"hello", status=b"fine"),
    "/head/0.9": b"<p>a page of 1991</p>\n",
    "/head/0.9-short": b"hi",
    "/head/blank-before": b"\r\n" + whole(b"hello"),
    "/head/blanks-before": b"\r\n\r\n\r\n" + whole(b"hello"),
    "/head/space-before": b" " + whole(b"hello"),
    "/head/bare-lf": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "/head/mixed-lf": b"HTTP/1.1 200 OK\r\nX: y\nContent-Length: 5\r\n\nhello",
    "/head/bare-cr": b"HTTP/1.1 200 OK\rContent-Length: 5\r\rhello",
    "/head/cr-in-value": OK + b"X: a\rb\r\nContent-Length: 5\r\n\r\nhello",
    "/head/space-before-colon": head(b"Content-Length : 5\r\nX-A\t: b") + b"hello",
    "/head/folded": OK + b"X-Long: a\r\n b\r\n\tc\r\nContent-Length: 5\r\n\r\nhello",
    "/head/folded-first": OK + b" X: folded into what\r\nContent-Length: 5\r\n\r\nhello",
    "/head/folded-lf": OK + b"X-Long: a\n b\r\nContent-Length: 5\r\n\r\nhello",
    "/head/folded-empty": OK + b"X-Long: a\r\n \r\nContent-Length: 5\r\n\r\nhello",
    "/head/no-colon": OK + b"What is this\r\nContent-Length: 5\r\n\r\nhello",
    "/head/no-name": OK + b": nameless\r\nContent-Length: 5\r\n\r\nhello",
    "/head/odd-name": OK + b"X(odd)@name: a\r\nX with blanks: b\r\nContent-Length: 5\r\n\r\nhello",
    "/head/8-bit-name": OK + b"X-\xfc: a\r\nContent-Length: 5\r\n\r\nhello",
    "/head/8-bit": OK + b"X: gr\xfc\xdfe \xff\r\nContent-Length: 5\r\n\r\nhello",
    "/head/nul": OK + b"X: a\0b\r\nContent-Length: 5\r\n\r\nhello",
    "/head/nul-name": OK + b"X\0Y: ab\r\nContent-Length: 5\r\n\r\nhello",
    "/head/control": OK + b"X: a\x01\x07\x7fb\r\nContent-Length: 5\r\n\r\nhello",
    "/head/empty-values": OK + b"X:\r\nY: \r\nZ:\t\r\nContent-Length: 5\r\n\r\nhello",
    "/head/no-blank-after-colon": OK + b"X:y\r\nContent-Length:5\r\n\r\nhello",
    "/head/blanks-around": OK + b"X:   y  \t \r\nContent-Length:    5   \r\n\r\nhello",
    "/head/case": OK + b"x-lower: a\r\nX-UPPER: b\r\ncOnTeNt-LeNgTh: 5\r\n\r\nhello",
    "/head/same-name": OK + b"X: 1\r\nY: 2\r\nX: 3\r\nContent-Length: 5\r\n\r\nhello",
    "/head/none": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "/head/204-with-body": head(b"Content-Length: 5", b"204 No Content") + b"hello",
    "/head/205-with-body": head(b"Content-Length: 5", b"205 Reset Content") + b"hello",
    "/head/304-with-body": head(b"Content-Length: 5", b"304 Not Modified") + b"hello",
    "/head/304-chunked": head(CHUNKED, b"304 Not Modified") + b"5\r\nhello\r\n0\r\n\r\n",
}

# A field of so many bytes, or so many fields of about 30 bytes.
for _size in (9_000, 60_000, 101_000, 200_000, 299_000, 400_000):
    HEADS[f"/bomb/field-{_size}"] = whole(b"hello", b"X: " + b"a" * (_size - 3))
for _count in (90, 150, 300, 4_000, 9_000, 12_000):
    HEADS[f"/bomb/fields-{_count}"] = whole(b"hello", b"".join(b"X-Field-%05d: some value\r\n" % n for n in range(_count)))

INTERIM = {
    "/interim/100": head(status=b"100 Continue") + whole(b"hello"),
    "/interim/100-fields": head(b"X: y\r\nContent-Length: 3", b"100 Continue") + whole(b"hello"),
    "/interim/100-200-times": head(status=b"100 Continue") * 200 + whole(b"hello"),
    "/interim/102": head(status=b"102 Processing") + whole(b"hello"),
    "/interim/103": head(b"Link: </a.css>; rel=preload", b"103 Early Hints") + whole(b"hello"),
    "/interim/103-50-times": head(b"Link: </a.css>", b"103 Early Hints") * 50 + whole(b"hello"),
    "/interim/101": head(b"Upgrade: other", b"101 Switching Protocols") + whole(b"hello"),
    "/interim/199": head(status=b"199 Odd") + whole(b"hello"),
    "/interim/alone": head(status=b"100 Continue"),
    "/interim/cookie": head(b"Set-Cookie: early=1", b"103 Early Hints") + whole(b"hello", b"Set-Cookie: late=2"),
}

# -- content codings

CODINGS = {
    "/coding/gzip": coded(b"gzip", GZ),
    "/coding/x-gzip": coded(b"x-gzip", GZ),
    "/coding/case": coded(b"GZip", GZ),
    "/coding/gzip-none": OK + b"Content-Encoding: gzip\r\n\r\n" + GZ,
    "/coding/gzip-chunked": chunks(GZ[:7], GZ[7:30], GZ[30:], fields=b"Content-Encoding: gzip"),
    "/coding/gzip-named": coded(b"gzip", GZ[:3] + b"\x08" + GZ[4:10] + b"name.txt\0" + GZ[10:]),
    "/coding/gzip-not": coded(b"gzip", b"this is not gzip at all"),
    "/coding/gzip-truncated": coded(b"gzip", GZ[: len(GZ) // 2]),
    "/coding/gzip-cut": head(b"Content-Encoding: gzip\r\nContent-Length: %d" % len(GZ)) + GZ[: len(GZ) // 2],
    "/coding/gzip-no-trailer": coded(b"gzip", GZ[:-8]),
    "/coding/gzip-bad-sum": coded(b"gzip", GZ[:-8] + b"\0\0\0\0" + GZ[-4:]),
    "/coding/gzip-bad-size": coded(b"gzip", GZ[:-4] + b"\1\2\3\4"),
    "/coding/gzip-bad-middle": coded(b"gzip", GZ[:30] + bytes(255 - b for b in GZ[30:50]) + GZ[50:]),
    "/coding/gzip-garbage-behind": coded(b"gzip", GZ + b"garbage behind it"),
    "/coding/gzip-zeros-behind": coded(b"gzip", GZ + bytes(100)),
    "/coding/gzip-two-members": coded(b"gzip", GZ + gzip.compress(b"second member\n", mtime=0)),
    "/coding/gzip-empty-body": coded(b"gzip", b""),
    "/coding/gzip-of-nothing": coded(b"gzip", gzip.compress(b"", mtime=0)),
    "/coding/gzip-204": head(b"Content-Encoding: gzip", b"204 No Content"),
    "/coding/gzip-million": coded(b"gzip", gzip.compress(bytes(1_000_000), mtime=0)),
    "/coding/deflate": coded(b"deflate", zlib.compress(TEXT)),
    "/coding/deflate-raw": coded(b"deflate", raw_deflate(TEXT)),
    "/coding/deflate-not": coded(b"deflate", b"this is not deflate at all"),
    "/coding/deflate-truncated": coded(b"deflate", zlib.compress(TEXT)[:60]),
    "/coding/deflate-garbage-behind": coded(b"deflate", zlib.compress(TEXT) + b"garbage"),
    "/coding/gzip-twice": coded(b"gzip, gzip", gzip.compress(GZ, mtime=0)),
    "/coding/deflate-gzip": coded(b"deflate, gzip", gzip.compress(zlib.compress(TEXT), mtime=0)),
    "/coding/two-fields": whole(gzip.compress(zlib.compress(TEXT), mtime=0), b"Content-Encoding: deflate\r\nContent-Encoding: gzip"),
    "/coding/six": coded(b"identity, " * 5 + b"identity", TEXT),
    "/coding/identity": coded(b"identity", TEXT),
    "/coding/none": coded(b"none", TEXT),
    "/coding/empty": coded(b"", TEXT),
    "/coding/unknown": coded(b"rot13", b"uryyb"),
    "/coding/br": coded(b"br", b"\x8b\x06\x80hello, brotli\n\x03"),
    "/coding/br-not": coded(b"br", b"\xff\xff\xff this is not brotli"),
    "/coding/zstd": coded(b"zstd", b"\x28\xb5\x2f\xfd\x20\x0c\x61\x00\x00hello, zstd\n"),
    "/coding/zstd-not": coded(b"zstd", b"this is not zstd"),
    "/coding/zstd-truncated": coded(b"zstd", b"\x28\xb5\x2f\xfd\x20\x0c\x61\x00\x00hello"),
}

# -- cookies, names, dates, characters

COOKIES = b"".join(
    b"Set-Cookie: " + line + b"\r\n"
    for line in (
        b"plain=1",
        b"session=abc; Path=/",
        b"quoted=\"a b\"; Path=/",
        b"blanks = spaced out ; Path = /",
        b"empty=; Path=/",
        b"=nameless; Path=/",
        b"lonely; Path=/",
        b"equals=a=b=c; Path=/",
        b"deep=1; Path=/cookies/deep",
        b"elsewhere=1; Path=/other",
        b"relative=1; Path=cookies",
        b"secure=1; Secure; Path=/",
        b"hidden=1; HttpOnly; Path=/",
        b"later=1; Expires=Wed, 01 Jan 2031 12:00:00 GMT; Path=/",
        b"dashes=1; Expires=Wed, 01-Jan-2031 12:00:00 GMT; Path=/",
        b"asctime=1; Expires=Wed Jan  1 12:00:00 2031; Path=/",
        b"two-digits=1; Expires=Wednesday, 01-Jan-31 12:00:00 GMT; Path=/",
        b"gone=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
        b"odd-date=1; Expires=tomorrow; Path=/",
        b"aged=1; Max-Age=40000; Path=/",
        b"quoted-age=1; Max-Age=\"40000\"; Path=/",
        b"over=1; Max-Age=0; Path=/",
        b"before=1; Max-Age=-5; Path=/",
        b"both=1; Max-Age=40000; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
        b"foreign=1; Domain=elsewhere.example; Path=/",
        b"public=1; Domain=com; Path=/",
        b"twice=1; Path=/",
        b"twice=2; Path=/",
        b"unknown=1; SameSite=Lax; Priority=High; Path=/",
        b"__Secure-a=1; Path=/",
        b"__Host-b=1; Secure; Path=/",
        b"tab=a\tb; Path=/",
        b"bit8=\xfc; Path=/",
        b"control=a\x01b; Path=/",
        b"long=" + b"x" * 3900 + b"; Path=/",
        b"too-long=" + b"x" * 5000 + b"; Path=/",
    )
)

DISPOSITIONS = {
    "plain": b"attachment; filename=saved.txt",
    "quoted": b'attachment; filename="two words.txt"',
    "single": b"attachment; filename='single.txt'",
    "escaped": b'attachment; filename="a\\"b.txt"',
    "unclosed": b'attachment; filename="open.txt',
    "traversal": b'attachment; filename="../../outside.txt"',
    "absolute": b'attachment; filename="/tmp/glasstack-absolute.txt"',
    "backslash": b'attachment; filename="a\\\\b\\\\c.txt"',
    "dots": b'attachment; filename=".."',
    "slash": b'attachment; filename="folder/"',
    "empty": b'attachment; filename=""',
    "hidden": b'attachment; filename=".hidden"',
    "inline": b'inline; filename="inline.txt"',
    "none": b"attachment",
    "utf8": b"attachment; filename*=UTF-8''gr%C3%BC%C3%9Fe.txt",
    "both": b"attachment; filename=\"ascii.txt\"; filename*=UTF-8''stern.txt",
    "case": b"Attachment; FileName=Case.txt",
    "blanks": b"attachment; filename = spaced.txt",
    "8-bit": b'attachment; filename="gr\xfc\xdfe.txt"',
    "semicolon": b'attachment; filename="a;b.txt"; size=5',
    "twice": b"attachment; filename=one.txt; filename=two.txt",
}

MODIFIED = b"Last-Modified: Tue, 15 Nov 1994 12:45:26 GMT"

OTHERS = {
    "/": whole(b"see strange_answers.py\n"),
    "/text/latin-1": whole(b"gr\xfc\xdfe\n", b"Content-Type: text/plain; charset=iso-8859-1"),
    "/text/utf-8": whole("grüße\n".encode(), b"Content-Type: text/html; charset=\"utf-8\""),
    "/text/odd-type": whole(b"hello", b"Content-Type: nonsense;;charset=="),
    "/text/two-types": whole(b"hello", b"Content-Type: text/plain\r\nContent-Type: text/html"),
    "/cookies": whole(b"hello", COOKIES),
    "/cookies/bomb": whole(b"hello", b"".join(b"Set-Cookie: c%d=%d\r\n" % (n, n) for n in range(200))),
    "/modified": whole(b"hello", MODIFIED),
    "/modified/never": whole(b"hello", b"Last-Modified: never"),
    "/status/404": whole(b"not here\n", status=b"404 Not Found"),
    "/status/500": whole(b"broken\n", status=b"500 Internal Server Error"),
    "/status/401": whole(b"who are you\n", status=b"401 Unauthorized"),
    "/redirect/no-location": whole(b"where to?", status=b"302 Found"),
    "/redirect/empty-location": whole(b"where to?", b"Location:", b"302 Found"),
    "/redirect/two": whole(b"where to?", b"Location: /length/right\r\nLocation: /chunked/right", b"302 Found"),
    "/redirect/blanks": whole(b"", b"Location:   \t /length/right \t ", b"302 Found"),
    "/redirect/200": whole(b"stay", b"Location: /length/right"),
    "/redirect/300": whole(b"choose", b"Location: /length/right", b"300 Multiple Choices"),
    "/redirect/304": head(b"Location: /length/right", b"304 Not Modified"),
    "/redirect/305": whole(b"proxy", b"Location: /length/right", b"305 Use Proxy"),
    "/redirect/no-length": head(b"Location: /length/right", b"302 Found") + b"a body until the end",
    "/redirect/truncated": head(b"Location: /length/right\r\nContent-Length: 50", b"302 Found") + b"cut",
    "/redirect/coded": coded(b"gzip", b"not gzip", status=b"302 Found").replace(b"\r\n", b"\r\nLocation: /length/right\r\n", 1),
    "/range/wrong": whole(TEXT[5:10], b"Content-Range: bytes 7-11/%d" % len(TEXT), b"206 Partial Content"),
    "/range/junk": whole(TEXT[5:10], b"Content-Range: some", b"206 Partial Content"),
    "/range/none": whole(TEXT[5:10], status=b"206 Partial Content"),
    "/range/416": whole(b"no such range", b"Content-Range: bytes */%d" % len(TEXT), b"416 Range Not Satisfiable"),
    "/range/short": whole(TEXT[5:8], b"Content-Range: bytes 5-9/%d" % len(TEXT), b"206 Partial Content"),
}

FIXED = LENGTHS | CHUNKS | HEADS | INTERIM | CODINGS | OTHERS
for _name, _value in DISPOSITIONS.items():
    FIXED[f"/named/{_name}"] = whole(b"hello", b"Content-Disposition: " + _value)

# Those after which the connection goes on all the same: they say where they end.
KEPT = {path for path in FIXED if path in OTHERS or path.startswith("/named/")}
KEPT -= {"/redirect/no-length", "/redirect/truncated"}

# What is closed or reset when so much of it has been said.
WHOLE = whole(TEXT)
CUTS = {"nothing": 0, "status": 9, "line": 17, "head": 30, "heads-end": WHOLE.index(TEXT), "body": WHOLE.index(TEXT) + 100}

ANSWERS = {}


def path(*names):
    def note(function):
        for name in names:
            ANSWERS[name] = function
        return function

    return note


def answer(connection, request):
    """Answers a request; whether the connection goes on."""
    if request.method == "CONNECT":
        return connect(connection, request)
    # `/x/anything` is `/x/*`'s, if there is no `/x/anything`.
    function = ANSWERS.get(request.path)
    folder = request.path
    while not function and request.path not in FIXED and folder:
        folder = folder.rpartition("/")[0]
        function = ANSWERS.get(folder + "/*")
    if function:
        return function(connection, request)
    connection.body(request)
    fixed = FIXED.get(request.path, whole(b"no such path here\n", status=b"404 Not Found"))
    if request.method == "HEAD" and "with-body" not in request.query:
        fixed = fixed[: fixed.find(b"\r\n\r\n") + 4]
    connection.send(fixed)
    return request.path in KEPT or request.path not in FIXED


def keep(connection, body, fields=b"", status=b"200 OK", method="GET"):
    said = whole(body, fields, status)
    connection.send(said[: -len(body)] if method == "HEAD" and body else said)
    return KEEP


@path("/echo", "/echo/*")
def echo(connection, request):
    """The request itself, head and body."""
    body = connection.body(request)
    return keep(connection, request.head + body, method=request.method)


@path("/keep", "/keep/*")
def kept(connection, request):
    """Says which request of its connection this is."""
    connection.body(request)
    connection.count = getattr(connection, "count", 0) + 1
    return keep(connection, b"request %d of this connection\n" % connection.count, method=request.method)


@path("/close/extra")
def close_extra(connection, request):
    connection.send(whole(b"hello", b"Connection: close") + b"HTTP/1.1 200 OK\r\n\r\nextra")


@path("/close/keep-alive-1.0")
def keep_alive_1_0(connection, request):
    connection.send(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello")
    return KEEP


@path("/close/plain-1.0")
def plain_1_0(connection, request):
    connection.send(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")


@path("/close/said")
def close_said(connection, request):
    connection.send(whole(b"hello", b"Connection: close"))


@path("/close/stale")
def stale(connection, request):
    """Answers the first request of a connection; the second finds it closed."""
    if connection.visits("stale") == 1:
        connection.send(whole(b"first\n"))
        connection.take(1)
        return None
    return keep(connection, b"on another connection\n")


@path("/cut/*")
def cut(connection, request):
    connection.body(request)
    connection.send(WHOLE[: CUTS[request.path.rsplit("/", 1)[1]]])
    if connection.tls:
        connection.cut()


@path("/reset/*")
def reset(connection, request):
    connection.body(request)
    connection.send(WHOLE[: CUTS[request.path.rsplit("/", 1)[1]]])
    # What was sent shall arrive first.
    time.sleep(0.2)
    connection.reset()


@path("/bomb/endless-field", "/bomb/endless-fields")
def endless(connection, request):
    """Bounded, but far beyond what anybody reads of a head."""
    piece = b"a" * 65536 if request.path.endswith("field") else b"X-Field: some value\r\n" * 3000
    connection.send(OK + b"X: ")
    for _ in range(200):
        connection.send(piece)


@path("/interim/endless")
def endless_interim(connection, request):
    for _ in range(3000):
        connection.send(head(status=b"100 Continue") * 10)


@path("/slow/body")
def slow_body(connection, request):
    connection.send(head(b"Content-Length: 20"))
    connection.send_slowly(b"drop by drop it came")


@path("/slow/head")
def slow_head(connection, request):
    connection.send_slowly(whole(b"hello"), 3, 0.01)


@path("/slow/chunks")
def slow_chunks(connection, request):
    connection.send_slowly(chunks(b"hello, ", b"world\n"), 2, 0.01)


@path("/slow/gzip")
def slow_gzip(connection, request):
    connection.send_slowly(coded(b"gzip", GZ), 20, 0.01)


@path("/slow/stall")
def stall(connection, request):
    """Half of it, and then nothing until the client goes."""
    connection.send(head(b"Content-Length: 20") + b"half of it")
    connection.fill()


@path("/slow/silence")
def silence(connection, request):
    connection.fill()


@path("/big")
def big(connection, request):
    """As many bytes as `n` says, each different from its neighbours."""
    count = int(request.query.get("n", "1000000"))
    block = bytes(n * 7 % 251 for n in range(251 * 256))
    connection.send(head(b"Content-Length: %d" % count))
    while count > 0 and request.method != "HEAD":
        connection.send(block[:count])
        count -= len(block)
    return KEEP


# -- redirects

@path("/redirect")
def redirect(connection, request):
    """To `to`, which is sent as it is, with the status `code`; `here` in it is this server."""
    connection.body(request)
    to = request.query.get("to", "").encode("latin-1")
    to = to.replace(b"HERE", b"127.0.0.1:%d" % connection.port)
    for scheme, port in connection.server.ports.items():
        to = to.replace(scheme.upper().encode() + b"-PORT", b"%d" % port)
    status = request.query.get("code", "302").encode() + b" Elsewhere"
    return keep(connection, b"over there\n", b"Location: " + to, status, request.method)


@path("/redirect/times/*")
def redirect_times(connection, request):
    left = int(request.path.rsplit("/", 1)[1])
    if left == 0:
        return keep(connection, b"arrived\n")
    return keep(connection, b"further\n", b"Location: %d" % (left - 1), b"302 Found")


@path("/redirect/loop")
def redirect_loop(connection, request):
    return keep(connection, b"round\n", b"Location: /redirect/loop", b"302 Found")


@path("/redirect/cookie")
def redirect_cookie(connection, request):
    return keep(connection, b"", b"Set-Cookie: on-the-way=1; Path=/\r\nLocation: /echo", b"302 Found")


# -- who is asking

@path("/basic", "/basic/*")
def basic(connection, request):
    connection.body(request)
    if request.field("authorization") == "Basic " + base64.b64encode(b"user:pass").decode():
        return keep(connection, b"welcome\n", method=request.method)
    return keep(connection, b"who?\n", b'WWW-Authenticate: Basic realm="strange"', b"401 Unauthorized", request.method)


@path("/digest", "/digest/*")
def digest(connection, request):
    """RFC 7616 with fixed nonce; `/digest/sha256`, `/digest/stale` (the first answer is too old),
    `/digest/no-qop`, `/digest/both` (Basic is offered as well)."""
    connection.body(request)
    kind = request.path.rsplit("/", 1)[1]
    name, make = ("SHA-256", hashlib.sha256) if kind == "sha256" else ("MD5", hashlib.md5)
    given = request.field("authorization") or ""
    offer = b'WWW-Authenticate: Digest realm="strange", nonce="%s", algorithm=' + name.encode()
    if kind != "no-qop":
        offer += b', qop="auth"'
    nonce = b"first"
    if given.startswith("Digest "):
        if kind == "stale" and connection.visits("stale") == 1:
            offer, nonce = offer + b", stale=true", b"second"
        elif _digest_is_right(given[7:], request, make):
            return keep(connection, b"welcome\n", method=request.method)
    offer = offer % nonce
    if kind == "both":
        offer = b'WWW-Authenticate: Basic realm="plain"\r\n' + offer
    return keep(connection, b"who?\n", offer, b"401 Unauthorized", request.method)


def _digest_is_right(given, request, make):
    fields = _parameters(given)

    def hashed(*words):
        return make(":".join(words).encode()).hexdigest()

    secret = hashed("user", "strange", "pass")
    asked = hashed(request.method, fields.get("uri", ""))
    middle = [fields.get(key, "") for key in ("nonce", "nc", "cnonce", "qop") if key in fields]
    return fields.get("uri") == request.target and fields.get("response") == hashed(secret, *middle, asked)


def _parameters(text):
    found = {}
    for part in text.split(","):
        key, _, value = part.strip().partition("=")
        found[key] = value.strip('"')
    return found


def connect(connection, request):
    """As a proxy: a tunnel to a port of the loopback, whatever the host is called."""
    host, _, port = request.target.rpartition(":")
    if host == "forbidden.example":
        return keep(connection, b"not there\n", status=b"403 Forbidden")
    if host == "private.example" and not request.field("proxy-authorization"):
        offer = b'Proxy-Authenticate: Basic realm="proxy"'
        return keep(connection, b"who?\n", offer, b"407 Proxy Authentication Required")
    connection.send(head(b"X-Proxy: strange", b"200 Connection established"))
    connection.tunnel(int(port))


# -- bodies of requests

@path("/expect/100")
def expect_100(connection, request):
    """Says 100 if it was expected, then what came."""
    if "100-continue" in (request.field("expect") or ""):
        connection.send(head(status=b"100 Continue"))
    return _received(connection, request)


@path("/expect/silence")
def expect_silence(connection, request):
    """Never says 100: the client has to make up its mind."""
    return _received(connection, request)


@path("/expect/417")
def expect_417(connection, request):
    if request.field("expect"):
        return keep(connection, b"do not expect\n", status=b"417 Expectation Failed")
    return _received(connection, request)


@path("/expect/final")
def expect_final(connection, request):
    """Answers without the body, and closes."""
    connection.send(whole(b"not wanted\n", b"Connection: close", b"403 Forbidden"))


@path("/upload/early")
def upload_early(connection, request):
    """Answers and closes while the body is on its way."""
    connection.take(1000)
    connection.send(whole(b"enough\n", b"Connection: close", b"413 Content Too Large"))


def _received(connection, request):
    body = connection.body(request)
    # The boundary of a form is left to chance.
    body = re.sub(rb"-{26}[0-9A-Za-z]+", b"-" * 26, body)
    said = b"%s of %d bytes, SHA-256 %s\n" % (request.method.encode(), len(body), hashlib.sha256(body).hexdigest().encode())
    return keep(connection, said)


@path("/upload", "/upload/*")
def upload(connection, request):
    return expect_100(connection, request)


# -- parts, and what has not changed

@path("/range")
def ranges(connection, request):
    """RFC 9110 14, one range."""
    asked = request.field("range")
    fields = b'ETag: "t"\r\nAccept-Ranges: bytes\r\n' + MODIFIED
    if not asked or not asked.startswith("bytes=") or "," in asked:
        return keep(connection, TEXT, fields, method=request.method)
    first, _, last = asked[6:].partition("-")
    if first == "":
        start, end = max(len(TEXT) - int(last), 0), len(TEXT)
    else:
        start, end = int(first), min(int(last) + 1, len(TEXT)) if last else len(TEXT)
    if start >= len(TEXT):
        return keep(connection, b"beyond\n", b"Content-Range: bytes */%d" % len(TEXT), b"416 Range Not Satisfiable")
    fields += b"\r\nContent-Range: bytes %d-%d/%d" % (start, end - 1, len(TEXT))
    return keep(connection, TEXT[start:end], fields, b"206 Partial Content", request.method)


@path("/range/ignored")
def range_ignored(connection, request):
    return keep(connection, TEXT, method=request.method)


@path("/etag")
def etag(connection, request):
    if '"v1"' in (request.field("if-none-match") or ""):
        connection.send(head(b'ETag: "v1"', b"304 Not Modified"))
        return KEEP
    return keep(connection, b"version 1\n", b'ETag: "v1"')


@path("/since")
def since(connection, request):
    if request.field("if-modified-since"):
        connection.send(head(MODIFIED, b"304 Not Modified"))
        return KEEP
    return keep(connection, b"hello\n", MODIFIED)


# -- later

@path("/busy", "/busy/*")
def busy(connection, request):
    """503 until it has been asked as often as the path's end says (once more than once: `/busy/2` twice)."""
    end = request.path.rsplit("/", 1)[1]
    times = int(end) if end.isdigit() else 1
    body = connection.body(request)
    if connection.visits(request.path) <= times:
        return keep(connection, b"busy\n", b"Retry-After: 1", b"503 Service Unavailable")
    return keep(connection, b"at last, %d bytes\n" % len(body))


@path("/flaky/*")
def flaky(connection, request):
    """Closes unanswered until it has been asked as often as the path's end says."""
    if connection.visits(request.path) > int(request.path.rsplit("/", 1)[1]):
        return keep(connection, b"at last\n")
    return None


# -- many at once

@path("/gather")
def gather(connection, request):
    """Answers when `n` requests wait here at the same time, or after a while without."""
    together = connection.server.gather(int(request.query.get("n", "2")), 30)
    return keep(connection, b"all of them\n" if together else b"not all of them\n")


@path("/close/half")
def close_half(connection, request):
    """Ends its own side behind the head, and only then reads the body: half a connection is enough for it."""
    connection.send(head())
    connection.send(b"said before the end\n")
    connection.cut()
    connection.body(request)
