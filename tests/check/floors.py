"""Holds every #include of a project header against the floors of cmake/modules.cmake, and pure modules against what
only the kernel can give."""
import re

import tree

# Pure by their own header although their floor's heading does not say so.
ALSO_PURE = {"base", "source"}
IMPURE = re.compile(
    r"^(unistd|time|fcntl|signal|poll|pthread|threads|dirent|netdb|syslog|termios|spawn|sched|aio|mqueue|grp|pwd)\.h$"
    r"|^(sys|linux|netinet|arpa|net|event2)/")

# Where a pure module reaches further, each with its reason.
ALLOWED = {
    ("src/doc/names.c", "sys/auxv.h"),     # 16 random bytes that the kernel laid into our memory: a seed, no call
    ("src/http/http_write.c", "time.h"),   # gmtime_r is calendar arithmetic on its argument; no clock is read
}


def read_floors():
    """Modules in order with what they need, and which are pure."""
    floors, pure = {}, set(ALSO_PURE)
    text = tree.read("cmake/modules.cmake")
    text = text[text.index("# floor 0"):text.index("get_property(modules")]
    is_pure, but = False, ""
    for heading, name, arguments in re.findall(r"^# (floor [^\n]*)|gate_module\((\w+)([^)]*)\)", text, re.M):
        if heading:
            is_pure = "pure" in heading
            but = heading.partition("pure but for the ")[2]
            continue
        words = arguments.split()
        needs = words[words.index("NEEDS") + 1:] if "NEEDS" in words else []
        floors[name] = set(needs[:needs.index("LIBS")] if "LIBS" in needs else needs)
        if is_pure and name != but:
            pure.add(name)
    return floors, pure


def check_order(floors):
    seen = set()
    for name, needs in floors.items():
        for need in sorted(needs - seen):
            yield f"cmake/modules.cmake: {name} needs {need}, which is not on an earlier line"
        seen.add(name)


def check_include(path, line, header, floors):
    module, _, _ = header.partition("/")
    own = path.parts[1]
    if own == module or module not in floors:
        return
    where = f"{path}:{line}"
    if header != f"{module}/{module}.h":
        yield f"{where}: {header} is private to {module}; include {module}/{module}.h"
    if own in floors and module not in floors[own]:
        yield f"{where}: {own} may not include {module}; cmake/modules.cmake does not name it"


def check_file(path, floors, pure):
    own = path.parts[1]
    if len(path.parts) > 2 and own not in floors:
        yield f"{path}: {own} is not a module of cmake/modules.cmake"
    text = tree.read(path)
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', text, re.M):
        line = tree.line_of(text, match.start())
        if match.group(1) == '"':
            yield from check_include(path, line, match.group(2), floors)
        elif own in pure and IMPURE.search(match.group(2)) and (str(path), match.group(2)) not in ALLOWED:
            yield f"{path}:{line}: {own} is pure and may not include <{match.group(2)}>"


def main():
    floors, pure = read_floors()
    problems = list(check_order(floors))
    files = tree.sources("src")
    for path in files:
        problems += check_file(path, floors, pure)
    tree.finish("floors", problems, len(files))


main()
