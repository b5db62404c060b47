"""Random histories of writes, and histories that end in given rows."""

WORDS = [b"amber", b"basil", b"cedar", b"delta", b"ember", b"fjord", b"grove", b"heron"]


class Keys:
    """A space of keys, of one of several looks."""

    def __init__(self, random, tall=False):
        self.random = random
        self.look = random.choice(["text", "text", "binary", "long", "numbers"])
        self.many = 6000 if tall else random.choice([20, 200, 1500])

    def one(self):
        number = self.random.randrange(self.many)
        if self.look == "text":
            return b"user/%05d" % number if number else b""
        if self.look == "binary":
            return (number * 2654435761 % 2**32).to_bytes(4, "big") + b"\xff\x00"[: number % 3]
        if self.look == "long":
            return b"/a/very/long/prefix/that/all/of/them/share/" * 3 + WORDS[number % 8] + b"/%d" % number
        return number.to_bytes(8, "big")

    def range(self):
        begin, end = sorted((self.one(), self.one()))
        if self.look == "numbers":  # Short ranges, so that something stays.
            end = min(end, (int.from_bytes(begin, "big") + 9).to_bytes(8, "big"))
        elif self.random.random() < 0.95:
            end = min(end, begin + b"\xff" if begin else b"user/00003")
        return begin, end


def value(random):
    kind = random.random()
    if kind < 0.1:
        return b""
    if kind < 0.6:
        return b" ".join(random.choice(WORDS) for _ in range(random.randrange(1, 12)))
    if kind < 0.97:
        return random.randbytes(random.randrange(1, 80))
    return random.choice(WORDS) * random.randrange(500, 8000)


def operand(random, merge):
    """A value that the merge operator takes."""
    if merge == "add":
        return random.choice([random.randrange(9), random.randrange(2**64)]).to_bytes(8, "little")
    return value(random)[:40]


def columns(random):
    names = random.sample([b"", b"city", b"mail", b"name", b"note"], random.randrange(1, 5))
    return [(name, value(random)[:60]) for name in sorted(names)]


class History:
    """Drives an open database with random writes."""

    def __init__(self, random, db, engine, families, scratch, two_phase=False, tall=False):
        self.random, self.db, self.engine, self.families = random, db, engine, families
        self.scratch, self.two_phase = scratch, two_phase
        self.keys = {name: Keys(random, tall) for name in families}
        self.singles = 0
        self.live_singles = []
        self.tables = 0

    def op(self, name):
        random, family, keys = self.random, self.families[name], self.keys[name]
        merge = family.get("merge")
        dice = random.random()
        if dice < 0.2:
            return ("delete", name, keys.one())
        if dice < 0.27 and "range" in self.engine.HAS and not self.two_phase:
            begin, end = keys.range()
            if family.get("reverse"):
                begin, end = end, begin
            return ("range", name, begin, end)
        if dice < 0.32 and "single" in self.engine.HAS and not merge and not self.two_phase:
            # A key may be deleted so only if it was written once.
            if self.live_singles and random.random() < 0.6:
                owner, key = self.live_singles.pop(random.randrange(len(self.live_singles)))
                return ("single", owner, key)
            self.singles += 1
            key = b"\xfe single %06d" % self.singles
            self.live_singles.append((name, key))
            return ("put", name, key, value(random))
        if dice < 0.34 and "merge" in self.engine.HAS:
            return ("log_data", name, b"a note that is no row")
        if dice < 0.7 and merge:
            return ("merge", name, keys.one(), operand(random, merge))
        if dice < 0.8 and family.get("entities"):
            return ("entity", name, keys.one(), columns(random))
        return ("put", name, keys.one(), operand(random, merge) if merge else value(random))

    def ingest(self, name):
        random, family, keys = self.random, self.families[name], self.keys[name]
        merge = family.get("merge")
        chosen = sorted({keys.one() for _ in range(random.randrange(1, 60))}, reverse=bool(family.get("reverse")))
        ops = [
            ("delete", name, key) if random.random() < 0.2 else ("put", name, key, operand(random, merge) if merge else value(random))
            for key in chosen
        ]
        self.tables += 1
        self.db.ingest(name, f"{self.scratch}-{self.tables}.sst", ops)

    def run(self, steps):
        random, db = self.random, self.db
        for step in range(steps):
            names = list(self.families)
            dice = random.random()
            if dice < 0.05:
                db.flush(random.choice(names))
            elif dice < 0.055:
                db.compact(random.choice(names))
            elif dice < 0.065:
                db.hold_snapshot()
            elif dice < 0.085 and "ingest" in self.engine.HAS and not self.two_phase:
                self.ingest(random.choice(names))
            elif dice < 0.10 and self.two_phase:
                name = random.choice(names)
                own = b"transaction %d" % step
                ops = [("put", name, own, operand(random, self.families[name].get("merge")))]
                db.transaction(own, ops, random.choice(["commit", "commit", "rollback", "nothing"]))
            else:
                db.write([self.op(random.choice(names)) for _ in range(random.choice([1, 1, 1, 5, 30]))])


def ops_to(random, name, family, key, what):
    """Writes that end in this row, by detours."""
    kind, content = what
    merge = family.get("merge")
    ops = []
    if random.random() < 0.2:
        ops.append(("put", name, key, operand(random, merge) if merge else b"not yet"))
        if random.random() < 0.3:
            ops.append(("delete", name, key))
    if kind == "columns":
        ops.append(("entity", name, key, content))
    elif merge == "add" and len(content) == 8 and random.random() < 0.5:
        more = random.randrange(2**64)
        less = (int.from_bytes(content, "little") - more) % 2**64
        ops.append(("put", name, key, less.to_bytes(8, "little")))
        ops.append(("merge", name, key, more.to_bytes(8, "little")))
    elif merge and merge != "add" and merge.encode() in content and random.random() < 0.5:
        head, tail = content.rsplit(merge.encode(), 1)
        ops.append(("put", name, key, head))
        ops.append(("merge", name, key, tail))
    else:
        ops.append(("put", name, key, content))
    return ops


def rebuild(random, db, families, rows):
    """Brings an empty database to these rows, in another order and by another way."""
    writes = [ops_to(random, name, families[name], key, what) for name, key, what in rows]
    random.shuffle(writes)
    extra = [name for name in families]
    for at, ops in enumerate(writes):
        # One by one or together: the order among the writes of one key stays.
        if random.random() < 0.5:
            db.write(ops)
        else:
            for op in ops:
                db.write([op])
                if random.random() < 0.02:
                    db.flush(op[1])
        if random.random() < 0.02:
            db.flush(random.choice(extra))
        if random.random() < 0.01:
            name = random.choice(extra)
            gone = b"\xfd gone %d" % at
            filler = operand(random, families[name].get("merge"))
            db.write([("put", name, gone, filler)])
            db.write([("delete", name, gone)])


def change(random, rows, families):
    """The rows with a few changed, deleted and inserted."""
    changed = {(name, key): what for name, key, what in rows}
    for _ in range(random.choice([0, 1, 3, 30])):
        known = list(changed)
        name = random.choice(list(families))
        merge = families[name].get("merge")
        new = operand(random, merge) if merge else value(random)
        dice = random.random()
        if dice < 0.4 and known:
            del changed[random.choice(known)]
        elif dice < 0.8 and known:
            at = random.choice(known)
            merge = families[at[0]].get("merge")
            changed[at] = ("value", operand(random, merge) if merge else value(random))
        else:
            changed[(name, b"new %d" % random.randrange(1000))] = ("value", new)
    return [(name, key, what) for (name, key), what in changed.items()]
