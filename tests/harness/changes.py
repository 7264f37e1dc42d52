"""Live changes of a registry, as an operator makes them."""
import json


def protect(subject, number, **more):
    return {"op": "protect", "subject": subject, "cases": [{"id": "C", "benefit": "U", "role": "principal", "status": "pending"}],
            "identifiers": [{"kind": "alien_number", "value": number}], **more}


def release(subject):
    return {"op": "release", "subject": subject, "reason": "the case was closed in error"}


def apply(gw, *changes, code=0):
    gw.write("changes.jsonl", "".join(json.dumps(c) + "\n" for c in changes))
    done = gw.command("registry", "apply", "-c", "gate.json", "changes.jsonl")
    assert done.returncode == code, done.stdout + done.stderr
    return done
