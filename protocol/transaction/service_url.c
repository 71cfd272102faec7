#include "service_url.h"

enum { PORT_MAX = 65535 };

static bool is_one_of(uint8_t c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_control(uint8_t c)
{
    return c < 0x20 || c == 0x7f;
}

/* Cuts the prefix off *url when it is there; upper case counts as lower. */
static bool skip_prefix(struct bytes *url, const char *prefix)
{
    size_t size = strlen(prefix);

    if (url->size < size)
        return false;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = url->data[i];

        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c - 'A' + 'a');
        if (c != (uint8_t)prefix[i])
            return false;
    }
    *url = bytes_make(url->data + size, url->size - size);
    return true;
}

/* Everything before the first of the characters, or all. */
static struct bytes until(struct bytes text, const char *set)
{
    size_t n = 0;

    while (n < text.size && !is_one_of(text.data[n], set))
        n++;
    return bytes_make(text.data, n);
}

static bool escapes_are_valid(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '%' &&
            (text.size - i < 3 || !is_hex(text.data[i + 1]) || !is_hex(text.data[i + 2])))
            return false;
    return true;
}

static bool host_is_valid(struct bytes host)
{
    for (size_t i = 0; i < host.size; i++)
        if (host.data[i] < 0x80 && !is_alphanumeric(host.data[i]) &&
            !is_one_of(host.data[i], "-_.~!$&'()*+,;=:[]<>\"%"))
            return false;
    if (host.size > 0 && host.data[0] == '[' && memchr(host.data, ']', host.size) == NULL)
        return false;
    return escapes_are_valid(host);
}

static bool user_is_valid(struct bytes user)
{
    for (size_t i = 0; i < user.size; i++)
        if (!is_alphanumeric(user.data[i]) && !is_one_of(user.data[i], "-._:~!$&'()*+,;=%@"))
            return false;
    return escapes_are_valid(user);
}

/* What lies between the scheme and the path: [user@]host[:port]. */
static bool authority_is_valid(struct bytes authority)
{
    const uint8_t *at = authority.size > 0 ? memrchr(authority.data, '@', authority.size) : NULL;
    const uint8_t *host = at != NULL ? at + 1 : authority.data;
    size_t user_size = at != NULL ? (size_t)(at - authority.data) : 0;

    return user_is_valid(bytes_make(authority.data, user_size)) &&
           host_is_valid(bytes_make(host, (size_t)(authority.data + authority.size - host)));
}

static bool port_is_valid(struct bytes port)
{
    unsigned long n = 0;

    for (size_t i = 0; i < port.size; i++) {
        if (port.data[i] < '0' || port.data[i] > '9')
            return false;
        n = n * 10 + (unsigned long)(port.data[i] - '0');
        if (n > PORT_MAX)
            return false;
    }
    return port.size > 0;
}

bool service_url_is_valid(struct bytes url)
{
    struct bytes rest = url, authority, path;
    size_t colons = 0, dots = 0, after_colon = 0;

    if (!skip_prefix(&rest, "https://") && !skip_prefix(&rest, "http://"))
        return false;
    for (size_t i = 0; i < url.size; i++) {
        if (is_control(url.data[i]))
            return false;
        if (url.data[i] == ':') {
            colons++;
            after_colon = i + 1;
        }
        dots += url.data[i] == '.';
    }
    if (colons != 2 || dots == 0 ||
        !port_is_valid(bytes_make(url.data + after_colon, url.size - after_colon)))
        return false;
    authority = until(rest, "/?");
    path = until(bytes_make(rest.data + authority.size, rest.size - authority.size), "?");
    return authority_is_valid(authority) && escapes_are_valid(path);
}
