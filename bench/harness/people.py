"""A registry of a million persons and documents about others, all from one seed. One record in a hundred is of a
person of the registry."""
import fcntl
import json
import os
import random
import subprocess

from harness import place

PERSONS = 1_000_000
SEED = 1367
SIZES = {1: 100, 4: 25, 60: 5, 1200: 1}  # records in a document: how many such documents
GIVEN = ["MARIA", "LI", "ANA SOFÍA", "JOHN", "OLEKSANDR", "FATIMA", "THI HOA", "JOSE"]
FAMILY = ["LOPEZ HERNANDEZ", "WANG", "GARCÍA", "SMITH", "KOVALENKO", "HASSAN", "NGUYEN", "NG"]
WORDS = ("SUBJECT STATED THAT HE ENTERED NEAR THE PORT OF ENTRY AND WAS ENCOUNTERED BY OFFICERS AT THE BUS STATION "
         "AND TRANSPORTED TO THE FIELD OFFICE FOR PROCESSING WITHOUT INCIDENT").split()


def alien(n, protected):
    """Even numbers stand in the registry, odd ones do not."""
    return f"A{20_000_000 + n * 7919 % 480_000_000 * 2 + (not protected):09}"


def source_line(n):
    serial = n * 104_729 % 100_000_000
    return (f'{{"subject":"S-{n:07}","cases":[{{"id":"C-{n}","benefit":"U","role":"principal","status":"pending"}}],'
            f'"identifiers":[{{"kind":"alien_number","value":"{alien(n, True)}"}},'
            f'{{"kind":"receipt_number","value":"MSC20{serial:08}"}},{{"kind":"passport","value":"G{serial:08}"}},'
            f'{{"kind":"person_id","value":"{90_000_000 + 2 * n}","system":"earm"}}]}}\n')


def record(roll, protected):
    n = roll.randrange(PERSONS)
    person = 90_000_000 + 2 * n + (not protected)
    return {
        "personId": person, "aNumber": alien(n, protected), "fins": [f"11{roll.randrange(10**8):08}"],
        "name": {"surname": roll.choice(FAMILY), "given": roll.choice(GIVEN), "middle": "DE JESUS"},
        "aka": [{"surname": roll.choice(FAMILY), "given": roll.choice(GIVEN)}],
        "dob": f"19{roll.randrange(40, 100)}-{roll.randrange(1, 13):02}-{roll.randrange(1, 29):02}",
        "cob": "GUAT", "coc": "GUAT", "coa": "B2", "alerts": [{"code": "VTX", "text": "NONE"}],
        "encounters": [{
            "eventNumber": f"XYZ21{roll.randrange(13):02}{roll.randrange(10**6):06}", "landmark": "BUS STATION",
            "address": {"street": f"{roll.randrange(9999)} OAK ST APT {roll.randrange(99)}", "city": "SPRINGFIELD",
                        "state": "TX", "zip": f"{roll.randrange(10**5):05}"},
            "date": f"2021-{roll.randrange(1, 13):02}-{roll.randrange(1, 29):02}T10:22:33Z"}],
        "detentions": [{"facilityCode": f"KRO{roll.randrange(99):02}", "bookIn": "2021-03-04", "bookOut": None,
                        "bond": float(roll.randrange(9000))}],
        "associates": [{"personId": 90_000_001 + 2 * roll.randrange(PERSONS), "role": "CHILD"}], "active": True,
        "narrative": " ".join(roll.sample(WORDS, 24)), "officerNotes": "NONE",
        "remarks": " ".join(roll.sample(WORDS, 16)),
        "docs": [{"id": f"D-{roll.randrange(99)}", "name": f"I213_{roll.randrange(9999)}.pdf"},
                 {"id": f"D-{roll.randrange(99)}", "name": f"receipt EAC21{roll.randrange(10**8):08}"}],
    }


def write_documents(directory):
    """p<records>-<n>.json; of all records of a size, evenly spread, one in a hundred is protected."""
    directory.mkdir(parents=True, exist_ok=True)
    for size, count in SIZES.items():
        roll = random.Random(SEED + size)
        made = 0
        for n in range(count):
            items = []
            for _ in range(size):
                made += 1
                items.append(record(roll, made % 100 == 50))
            document = {"total": size, "items": items}
            text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
            (directory / f"p{size}-{n}.json").write_text(text)


def protected_numbers():
    """The protected A-numbers of the documents, then others, for the peer that looks them up in a table."""
    return [alien(n, True) for n in range(PERSONS)]


def registry():
    """(index, key): built once, and again where the gateway no longer reads what an older one built."""
    directory = place.WORK / f"registry-{PERSONS}-{SEED}"
    index, key = directory / "protected.idx", directory / "protected.key"
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w", encoding="ascii") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        inspect = [place.GATE, "registry", "inspect", index, "--key", key]
        if index.exists() and key.exists() and subprocess.run(inspect, capture_output=True, check=False).returncode == 0:
            return index, key
        index.unlink(missing_ok=True)
        print(f"building a registry of {PERSONS} persons …", flush=True)
        source = directory / "source.jsonl"
        with open(source, "w", encoding="utf-8") as out:
            out.writelines(source_line(n) for n in range(PERSONS))
        subprocess.run([place.GATE, "registry", "build", source, "-o", index, "--key", key], check=True,
                       stdout=subprocess.DEVNULL)
        os.unlink(source)
    return index, key
