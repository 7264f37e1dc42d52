"""A second implementation of the verdict and the edits for JSON and NDJSON, written from the contract (sections 5 and 6) and from
docs/rules.md alone: slow, plain, with a tree. test_second holds the program against it."""
