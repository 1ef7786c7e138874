#ifndef AWS_PROFILE_H
#define AWS_PROFILE_H

#include <stdbool.h>

#include "aws/credentials.h"
#include "base/error.h"

/*
 * Static keys from the files that the AWS CLI keeps:
 *   credentials  [name]            aws_access_key_id, aws_secret_access_key, aws_session_token
 *   config       [profile name]    the same; the default profile is [default]
 * Lines that start with # or ; are comments, and so is the end of a line after " #" or " ;". Lines
 * indented deeper than the option before belong to it and are left out.
 * Source: "Configuration and credential file settings", AWS CLI user guide.
 */

#define PROFILE_FILE_MAX (1024 * 1024) /* bytes of each file */

/* All borrowed. A file that is NULL or not there is left out. */
struct profile_source {
    const char *name; /* of the profile */
    const char *credentials_file;
    const char *config_file;
};

/*
 * Reads the keys of a profile into `out`, for credentials_free(); those of the credentials file
 * come first. `*found` says whether there are any: without failure there are none when the profile
 * is not there or says nothing of keys. Fails with ERROR_CREDENTIALS and a text that says what to
 * do when the profile has half a pair of keys, or needs what we do not speak (a role, IAM Identity
 * Center, a program, ...).
 */
int profile_read(const struct profile_source *source, struct credentials *out, bool *found,
                 struct error *err) __attribute__((warn_unused_result));

#endif
