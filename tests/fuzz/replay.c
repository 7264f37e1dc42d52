/* Linked with a fuzz target in every build but the fuzz preset: feeds it each file given, or each file in each
 * directory given. A corpus that is missing or empty fails, so that a moved folder does not pass for a tested one. */
#include "base/base.h"
#include <dirent.h>
#include <sys/stat.h>

#define INPUT_MAX ((size_t)16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input sits in a block of exactly its size: the sanitizer sees the first byte read beyond it. */
static bool replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    uint8_t *data = size <= INPUT_MAX ? mem_alloc(size) : NULL;
    bool read = data && fread(data, 1, size, file) == size;
    fclose(file);
    if (read) LLVMFuzzerTestOneInput(data, size);
    mem_free(data);
    return read;
}

static int replay_path(const char *path);

static int replay_dir(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) return -1;
    int total = 0;
    for (struct dirent *entry; total >= 0 && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        char below[4096];
        if ((size_t)snprintf(below, sizeof below, "%s/%s", path, entry->d_name) >= sizeof below) continue;
        int n = replay_path(below);
        total = n < 0 ? -1 : total + n;
    }
    closedir(dir);
    return total;
}

/* Inputs fed, -1 when something could not be read. */
static int replay_path(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return replay_dir(path);
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && replay_file(path, (size_t)st.st_size)) return 1;
    fprintf(stderr, "replay: cannot read %s\n", path);
    return -1;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int n = replay_path(argv[i]);
        if (n < 0) return 1;
        total += n;
    }
    if (total == 0) {
        fprintf(stderr, "replay: no inputs: the corpus is missing or empty\n");
        return 1;
    }
    printf("replayed %d inputs\n", total);
    return 0;
}
