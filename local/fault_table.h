#ifndef LOCAL_FAULT_TABLE_H
#define LOCAL_FAULT_TABLE_H

#include "local/fault.h"

/* All faults by name; the row after the last has no name. Sources of the texts: AWS, "Amazon
 * Bedrock user guide, troubleshooting API error codes", and texts seen in public reports. */
extern const struct fault_row fault_table[];

#endif
