#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""Writes ldp.json: campaigns, random bytes and the reports that devices make of them, by a second implementation of
docs/rooms/ldp.md that branches and divides as it likes. Python 3, standard library.

usage: make_ldp.py > ldp.json"""
import hashlib
import json
import sys

M = 1 << 64
ORACLES = ["", "grr", "sue", "oue", "olh", "blh", "hadamard", "subset", "projective", "duchi", "piecewise", "hybrid",
           "square_wave"]


def exp40(epsilon):
    """e^(epsilon / 2^32) in 2^-40, with the roundings of the document."""
    r, term, total = epsilon << 24, 1 << 62, 1 << 62
    for k in range(1, 21):
        term = (term * r >> 62) // k
        total += term
    mantissa, exponent = total << 1, 0
    for _ in range(6):
        mantissa, exponent = mantissa * mantissa >> 64, 2 * exponent + 1
        if mantissa < 1 << 63:
            mantissa, exponent = mantissa << 1, exponent - 1
    return mantissa >> (23 - exponent)


def root40(ratio):
    low, high = 0, 1 << 53
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle * middle <= ratio << 40 else (low, middle)
    return low


def threshold(ratio, a, b):
    """The largest T with T a 2^40 <= ratio (2^64 - T) b."""
    return ratio * M * b // ((a << 40) + ratio * b)


def two_classes(ratio, likely, rest):
    return threshold(ratio, -(-(1 << 63) // likely), (1 << 63) // rest)


class Campaign:
    def __init__(self, oracle, epsilon, domain=0, bits=0, lengths=(), symbols=0, band=0, seed_bits=0, public=False, id_=b""):
        self.oracle, self.domain, self.bits, self.symbols, self.band = oracle, domain, bits, symbols, band
        self.lengths = list(lengths) or [0]
        self.seed_bits, self.public = seed_bits, public
        self.epsilon = int(epsilon * 2**32)
        self.bytes = (b"NWLC" + bytes([1, ORACLES.index(oracle), public, seed_bits, bits, len(self.lengths)])
                      + band.to_bytes(2, "little") + symbols.to_bytes(4, "little") + domain.to_bytes(8, "little")
                      + self.epsilon.to_bytes(8, "little") + bytes(8) + id_.ljust(16, b"\0")
                      + bytes(self.lengths).ljust(32, b"\0"))
        self.digest = hashlib.blake2b(self.bytes, digest_size=32).digest()
        self.ratio = exp40(self.epsilon)

    def classes(self):
        """(likely, all) of oracles whose payload is the number of an output."""
        if self.oracle == "hadamard":
            columns = 1
            while columns < -(-self.domain // self.symbols) + 1:
                columns *= 2
            return columns // 2, columns * self.symbols
        if self.oracle == "projective":
            t = 2
            while sum(self.symbols**i for i in range(t)) < self.domain:
                t += 1
            return sum(self.symbols**i for i in range(t - 1)), sum(self.symbols**i for i in range(t))
        if self.band:
            return self.band, self.symbols
        return 1, self.symbols


def word(seed, i):
    z = ((seed << 8) + i + 1) * 0x9E3779B97F4A7C15 % M
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % M
    z = (z ^ z >> 27) * 0x94D049BB133111EB % M
    return z ^ z >> 31


def cell(c, seed, item, length):
    if c.oracle == "blh":
        rows = [word(seed, 2 * j) | word(seed, 2 * j + 1) << 64 for j in range(c.symbols.bit_length() - 1)]
        return sum((bin(row & item).count("1") & 1) << j for j, row in enumerate(rows))
    total = word(seed, 16) >> 32
    for j in range(-(-length // 16)):
        total += (word(seed, 17 + j) >> 32) * (item >> 16 * j & 0xFFFF)
    return (total % 2**32 >> 16) * c.symbols >> 16


def points(q, t):
    """All points in the order of their numbers: the leading 1 last first."""
    return [[0] * (t - 1 - m) + [1] + [i // q**(m - 1 - k) % q for k in range(m)] for m in range(t) for i in range(q**m)]


def plane(c, x, is_likely, which):
    q, (likely, outputs) = c.symbols, c.classes()
    t = next(t for t in range(2, 30) if sum(q**i for i in range(t)) == outputs)
    everything = points(q, t)
    u = everything[x]
    lead = u.index(1)
    if is_likely:
        z = points(q, t - 1)[which * likely >> 64]
    else:
        number = which * (outputs - likely) >> 64
        z = [number // q**(t - 2 - k) % q for k in range(t - 1)]
    y = z[:lead] + [0] + z[lead:]
    y[lead] = ((0 if is_likely else 1) - sum(a * b for a, b in zip(u, y))) % q
    inverse = pow(next(a for a in y if a), q - 2, q)
    return everything.index([a * inverse % q for a in y])


def half(row, i, odd):
    """Column number i of those whose common ones with row are odd in number, or even; as numbers without row's lowest one."""
    low = row & -row
    column = (i // low) * 2 * low + i % low
    return column if bin(column & row).count("1") % 2 == odd else column + low


def hadamard(c, x, is_likely, which):
    likely, outputs = c.classes()
    block, row = x % c.symbols, x // c.symbols + 1
    if is_likely:
        return block * 2 * likely + half(row, which * likely >> 64, 0)
    rest = which * (outputs - likely) >> 64
    if rest < likely:
        return block * 2 * likely + half(row, rest, 1)
    other = (rest - likely) // (2 * likely)
    return (other + (other >= block)) * 2 * likely + (rest - likely) % (2 * likely)


def band(first, likely, outputs, is_likely, which):
    if is_likely:
        return first + (which * likely >> 64)
    return [y for y in range(outputs) if not first <= y < first + likely][which * (outputs - likely) >> 64]


class Words:
    def __init__(self, data):
        self.data, self.at = data, 0

    def next(self):
        self.at += 8
        return int.from_bytes(self.data[self.at - 8:self.at], "little")

    def below(self, bound):
        while True:
            w = self.next()
            if w * bound % M >= M % bound:
                return w * bound >> 64


def unary(c, x, words):
    d, root = c.domain, root40(c.ratio)
    if c.oracle == "subset":
        w = c.symbols
        kept = words.next() < threshold(c.ratio, d - w, w)
        wanted, passed, chosen = w - kept, False, set()
        for j in range(d):
            before, after = words.below(max(d - 1 - j, 1)), words.below(d - j)
            if j == x:
                passed = True
                chosen |= {j} if kept else set()
            elif (after if passed else before) < wanted:
                chosen.add(j)
                wanted -= 1
    else:
        keep = 1 << 63 if c.oracle == "oue" else threshold(root, 1, 1)
        other = M - threshold(c.ratio if c.oracle == "oue" else root, 1, 1)
        chosen = {j for j in range(d) if words.next() < (keep if j == x else other)}
    return sum(1 << j for j in chosen).to_bytes(max(6, -(-d // 8)), "little")


def report(c, item, data, user=None):
    words, level = Words(data), 0
    if c.oracle in ("sue", "oue", "subset"):
        payload = unary(c, min(item, c.domain - 1), words)
    else:
        coin, keep, which, rounding = (words.next() for _ in range(4))
        likely, outputs = c.classes()
        is_likely = keep < two_classes(c.ratio, likely, outputs - likely)
        level, seed = (coin >> 32) * len(c.lengths) >> 32, coin % (1 << c.seed_bits)
        if user is not None:
            drawn = hashlib.blake2b(user, digest_size=8, key=c.digest).digest()
            level = int.from_bytes(drawn[:4], "little") * len(c.lengths) >> 32
            seed = int.from_bytes(drawn[4:], "little") % (1 << c.seed_bits)
        if c.oracle in ("olh", "blh"):
            length = c.lengths[level] if c.bits else (c.domain - 1).bit_length()
            x = min(item, (1 << c.bits) - 1) >> (c.bits - length) if c.bits else min(item, c.domain - 1)
            y = band(cell(c, seed, x, max(length, 1)), 1, outputs, is_likely, which)
            payload = seed.to_bytes(4, "little") + y.to_bytes(2, "little")
        else:
            if c.oracle == "hadamard":
                y = hadamard(c, min(item, c.domain - 1), is_likely, which)
            elif c.oracle == "projective":
                y = plane(c, min(item, c.domain - 1), is_likely, which)
            elif c.oracle == "grr":
                y = band(min(item, c.domain - 1), 1, outputs, is_likely, which)
            else:
                y = number(c, min(item, 1 << 32), coin, keep, which, rounding)
            payload = y.to_bytes(6, "little")
    return b"N" + bytes([1, ORACLES.index(c.oracle), level]) + c.digest[:6] + payload


def number(c, place, coin, keep, which, rounding):
    likely, outputs = c.classes()
    sign = rounding >> 32 < place
    if c.oracle == "duchi":
        return band(int(sign), 1, 2, keep < two_classes(c.ratio, 1, 1), which)
    if c.oracle == "hybrid":
        root = root40(c.ratio)
        limit = (root - (1 << 40)) * M
        mix = -(-limit // root) - 1 if c.epsilon > int(0.61 * 2**32) else 0
        if coin >= mix:
            return c.symbols + (sign ^ (keep >= two_classes(c.ratio, 1, 1)))
    inputs = outputs - likely + 1
    if c.oracle == "square_wave":
        x = min(place * inputs >> 32, inputs - 1)
    else:
        x = (place * (inputs - 1) >> 32) + (rounding >> 32 < place * (inputs - 1) % 2**32)
    return band(x, likely, outputs, keep < two_classes(c.ratio, likely, outputs - likely), which)


def campaigns():
    yield Campaign("grr", 1.0, 10, symbols=10), [0, 3, 9, 10, 1 << 40]
    yield Campaign("grr", 0.001, 2, symbols=2, id_=b"two"), [0, 1]
    yield Campaign("sue", 2.0, 20, symbols=2), [0, 19, 25]
    yield Campaign("oue", 1.5, 70, symbols=2), [0, 69]
    yield Campaign("olh", 1.0, 1 << 20, symbols=4, seed_bits=32), [0, 1, 1048575]
    deep = Campaign("olh", 3.0, bits=100, lengths=[10, 40, 70, 100], symbols=21, seed_bits=24)
    yield deep, [5, (1 << 100) - 1, 1 << 99, 1 << 120]
    yield Campaign("blh", 2.0, bits=48, lengths=[16, 32, 48], symbols=8, seed_bits=32), [0, 0x123456789ABC, 1 << 47]
    public = Campaign("blh", 4.0, bits=128, lengths=[64, 128], symbols=64, seed_bits=16, public=True, id_=b"public")
    yield public, [3, (1 << 127) + 5]
    yield Campaign("hadamard", 2.0, 37, symbols=4), [0, 17, 36]
    yield Campaign("subset", 1.0, 12, symbols=3), [0, 5, 11]
    yield Campaign("subset", 0.5, 60, symbols=23), [0, 59]
    yield Campaign("projective", 1.0, 30, symbols=3), [0, 12, 29]
    yield Campaign("projective", 2.0, 50, symbols=7), [0, 49]
    yield Campaign("projective", 1.0, 20, symbols=2), [0, 19]
    yield Campaign("duchi", 1.0, symbols=2), [0, 1 << 31, 1 << 32]
    yield Campaign("piecewise", 1.0, symbols=100, band=38), [0, 123456789, 1 << 32]
    yield Campaign("hybrid", 2.0, symbols=100, band=27), [0, 1 << 30, 1 << 32]
    yield Campaign("square_wave", 1.0, 16, symbols=24, band=9), [0, 1 << 31, 1 << 32]


def main():
    entries, counter = [], 0
    for c, items in campaigns():
        for item in items:
            for _ in range(4):
                data = b"".join(hashlib.sha256(b"noisewright %d %d" % (counter, i)).digest() for i in range(40))
                counter += 1
                user = data[100:116] if c.public else None
                made = report(c, item, data, user)
                entries.append({"campaign": c.bytes.hex(), "oracle": c.oracle, "item": f"{item:032x}", "seed": counter - 1,
                                "user": user.hex() if user else "", "report": made.hex()})
    json.dump({"format": "noisewright local reports", "made_by": "tests/vectors/make_ldp.py",
               "random_bytes": "SHA-256 of 'noisewright SEED BLOCK', blocks 0 to 39 one after the other", "entries": entries},
              sys.stdout, indent=0)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
