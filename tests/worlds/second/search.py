"""`query` and `only`: contract 6, and docs/rules.md, "What may be asked". Nobody is found by what is not seen."""
import decimal
import unicodedata

LOOKALIKES = str.maketrans("АВЕКМНОРСТХ", "ABEKMHOPCTX")  # Cyrillic capitals that are drawn like Latin ones
OTHERS = str.maketrans("ØøŁłĐđ", "OoLlDd")                # which Unicode does not take apart


def words(text):
    """Without case, accents, punctuation; any other sign beyond ASCII is a letter."""
    apart = unicodedata.normalize("NFKD", text.translate(OTHERS))
    return "".join(c if c.isalnum() or (c > "\x7f" and not "\u2000" <= c < "\u2070") else " " for c in apart if not unicodedata.combining(c)).upper().translate(LOOKALIKES)


def squeezed(text):
    return words(text).replace(" ", "")


def integers(number):
    """30.0 is read as 30, too."""
    value = decimal.Decimal(number)
    if 0 <= value < 10 ** 18 and value == int(value):
        yield str(int(value))


def stands(how, value, texts):
    if how == "words":
        return all(any(w.startswith(v) for t in texts for w in words(t).split()) for v in words(value).split())
    wanted = squeezed(value)
    holds = {"contains": lambda t: wanted in t, "equals": lambda t: wanted == t, "prefix": lambda t: t.startswith(wanted)}[how]
    return any(holds(squeezed(t)) for t in texts)


class Search:
    """One parameter and the values that were sent of it; paths: numbers of what it searches; unit: of what is left out, or None."""

    def __init__(self, declared, paths, profile, values):
        self.how, self.any = declared.get("match", "contains"), declared.get("repeated") == "any"
        self.paths, self.all = list(paths), values
        self.values = [v for v in values if v or declared.get("empty") != "any"]
        listed = [u["path"] for u in profile.units]
        self.unit = listed.index(declared["unit"]) if "unit" in declared else None

    def finds(self, texts):
        return (any if self.any else all)(stands(self.how, v, texts) for v in self.values)
