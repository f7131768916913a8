#include "common/aws/batch.h"

bool batch_is_id_text(str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i], letter = (char)(c | 0x20);

        if (!(letter >= 'a' && letter <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return id.n > 0;
}

const struct val *batch_repeated(const struct val *entries)
{
    for (const struct val *v = entries->first; v; v = v->next)
        for (const struct val *w = entries->first; w != v; w = w->next)
            if (str_eq(val_text(v, "Id"), val_text(w, "Id")))
                return v;
    return NULL;
}
