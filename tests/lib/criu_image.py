#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# criu_image.py FILE PATH VALUE...: change one field in every entry of an image of CRIU, for tests of hostile images.
# PATH is field numbers with dots between them ("5.10.12"); the VALUEs (numbers, or hex:DIGITS) take the place of all
# that was there. With - as only VALUE the field goes.

import struct
import sys


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def to_varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def fields(data):
    at = 0
    while at < len(data):
        start = at
        key, at = varint(data, at)
        kind = key & 7
        body = at
        if kind == 0:
            _, at = varint(data, at)
        elif kind == 1:
            at += 8
        elif kind == 5:
            at += 4
        else:
            size, body = varint(data, at)
            at = body + size
        yield key >> 3, kind, data[body:at], data[start:at]


def encode(number, value):
    if value.startswith("hex:"):
        content = bytes.fromhex(value[4:])
        return to_varint(number << 3 | 2) + to_varint(len(content)) + content
    return to_varint(number << 3) + to_varint(int(value, 0))


def edit(data, path, values):
    out = b""
    for number, _, body, whole in fields(data):
        if number != path[0]:
            out += whole
        elif len(path) > 1:
            inner = edit(body, path[1:], values)
            out += to_varint(number << 3 | 2) + to_varint(len(inner)) + inner
    if len(path) == 1:
        out += b"".join(encode(path[0], v) for v in values if v != "-")
    return out


def main():
    name, path, values = sys.argv[1], [int(n) for n in sys.argv[2].split(".")], sys.argv[3:]
    with open(name, "rb") as stream:
        data = stream.read()
    # The inventory has one magic number, all others two.
    at = 4 if struct.unpack_from("<I", data)[0] == 0x58313116 else 8
    out = data[:at]
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        entry = edit(data[at + 4 : at + 4 + size], path, values)
        out += struct.pack("<I", len(entry)) + entry
        at += 4 + size
    with open(name, "wb") as stream:
        stream.write(out)


main()
