#include "os/os.h"

#define OS_ERRORS(X)                                                                                                   \
    X(OS_TOO_LARGE, "the file is larger than allowed")                                                                 \
    X(OS_SECRET_EXPOSED, "the file is open to others; make it mode 0600, owned by the account that runs this")         \
    X(OS_SECRET_OTHERS, "the file is another account's, as systemd's credentials are their service's; run this as that account")    \
    X(OS_NOT_A_FILE, "not a regular file")                                                                             \
    X(OS_BAD_ADDRESS, "not an ADDRESS:PORT such as 127.0.0.1:8443 or [::1]:8443")                                      \
    X(OS_UNRESOLVED, "the name has no address")                                                                        \
    X(OS_SHORT_WRITE, "less was written than asked")                                                                   \
    X(OS_TIMEOUT, "timed out")

const char *os_error_text(result r)
{
#define TEXT_OF(code_, text)                                                                                           \
    if (r.code == (code_)) return text;
    OS_ERRORS(TEXT_OF)
#undef TEXT_OF
    if (r.class == ERROR_LIMIT) return "out of memory or over a limit";
    const char *text = r.code > 0 ? strerrordesc_np(r.code) : NULL; /* unlike strerror: static, not translated */
    return text ? text : error_class_name(r.class);
}
