"""Sizes of functions and files, and words that do not belong in our C."""
import re

import tree

FUNCTION_MAX = 100
FILE_MAX = 800

# What is banned, and what to use.
BANNED = {
    r"strcpy|strcat|sprintf|vsprintf|gets|stpcpy|strncpy|strncat|strtok": "spans, buffers or snprintf",
    r"atoi|atol|atoll|strtol|strtoul|strtoll|strtoull|sscanf|scanf|fscanf": "span_to_u64 or a reader with a bound",
    r"alloca|tmpnam|mktemp|tempnam|system|popen|gmtime|localtime|ctime|asctime|rand|srand|random": "what os/ offers",
    r"malloc|calloc|realloc|free|strdup|strndup|asprintf|vasprintf|reallocarray": "mem_*",
    r"assert": "ASSERT",
    r"goto": "a function of its own, or MEM_AUTO",
    r"setjmp|longjmp": "results",
}
# Places where a rule must give way, each with its reason.
ALLOWED = {
    ("src/base/memory.c", "malloc"), ("src/base/memory.c", "calloc"), ("src/base/memory.c", "realloc"),
    ("src/base/memory.c", "free"),  # this is where mem_* is made
    ("src/os/file.c", "free"),      # scandir's blocks are libc's
    ("src/os/direct.c", "free"),    # aligned_alloc's
}


def functions(code):
    """Name, first line and length of each function: a brace at depth 0 whose text before it ends with a
    parenthesis."""
    depth, begin, name = 0, 0, None
    last_end = 0
    for match in re.finditer(r"[{};]", code):
        token = match.group()
        if token == "{":
            if depth == 0:
                head = code[last_end:match.start()]
                head = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", "", head, flags=re.M)
                head = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head, flags=re.S)
                found = re.search(r"(\w+)\s*\([^{}]*\)\s*$", head)
                name = found.group(1) if found and "=" not in head else None
                start = last_end + (len(code[last_end:match.start()]) - len(code[last_end:match.start()].lstrip()))
                begin = tree.line_of(code, start)
            depth += 1
        elif token == "}":
            depth -= 1
            if depth == 0:
                if name:
                    yield name, begin, tree.line_of(code, match.start()) - begin + 1
                last_end = match.end()
        elif depth == 0:
            last_end = match.end()


def without_directives(code):
    """Macro bodies may hold unbalanced braces: blank them."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", lambda m: re.sub(r"[^\n]", " ", m.group()), code, flags=re.M)


def check_sizes(path, text, code):
    lines = text.count("\n")
    if lines > FILE_MAX:
        yield f"{path}: {lines} lines; a file has at most {FILE_MAX}"
    for name, begin, length in functions(without_directives(code)):
        if length > FUNCTION_MAX:
            yield f"{path}:{begin}: {name} has {length} lines; a function has at most {FUNCTION_MAX}"


def check_words(path, code):
    for words, instead in BANNED.items():
        after = r"\b" if words == "goto" else r"\s*\("
        for match in re.finditer(rf"(?<![\w.>])({words}){after}", code):
            if (str(path), match.group(1)) not in ALLOWED:
                yield f"{path}:{tree.line_of(code, match.start())}: {match.group(1)} is banned; use {instead}"


def main():
    problems, lengths = [], []
    files = tree.sources("src", "include")
    for path in files:
        text = tree.read(path)
        code = tree.code_only(text)
        problems += check_sizes(path, text, code)
        problems += check_words(path, code)
        lengths += [length for _, _, length in functions(without_directives(code))]
    lengths.sort()
    if lengths:
        print(f"{len(lengths)} functions: median {lengths[len(lengths) // 2]} lines, "
              f"90 % up to {lengths[len(lengths) * 9 // 10]}, longest {lengths[-1]}")
    tree.finish("shape", problems, len(files))


main()
