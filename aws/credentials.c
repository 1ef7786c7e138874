#include "aws/credentials.h"

#include "base/buffer.h"

void credentials_free(struct credentials *credentials)
{
    wipe_string(credentials->access_key_id);
    wipe_string(credentials->secret_access_key);
    wipe_string(credentials->session_token);
    *credentials = (struct credentials){0};
}
