/* Edits of a generated document: with the withheld and without them, the same bytes leave. The input is the seed. */
#include "../unit/edit/generate.h"
#include "../unit/edit/marked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum generated_world worlds[] = {WORLD_MARKED, WORLD_WANTED};
    static const uint8_t zero[16];
    struct buf texts[2];
    for (int i = 0; i < 2; i++)
        buf_init(&texts[i], 1 << 22);
    struct arena *arena = arena_new((size_t)64 << 20);
    enum generated_shape shape = generate_worlds(arena, siphash64(zero, span_of(data, size)), NULL, worlds, texts, 2);
    const char *marked = (const char *)buf_span(&texts[0]).ptr;
    struct marked *m = shape == SHAPE_LINES ? marked_lines(marked) : marked_json(marked);
    char *got = marked_edit(m, arena);
    ASSERT(strcmp(got, (const char *)buf_span(&texts[1]).ptr) == 0);
    mem_free(got);
    marked_free(m);
    arena_free(arena);
    for (int i = 0; i < 2; i++)
        buf_free(&texts[i]);
    return 0;
}
