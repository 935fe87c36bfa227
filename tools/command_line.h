/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_COMMAND_LINE_H
#define AIMG_TOOLS_COMMAND_LINE_H

/* Prints to stderr a command of this tool that can be pasted into a shell: argv[0] is the verb, `option`, unless it is
 * NULL or there already, is put behind it. */
void command_line_print(const char *lead, int argc, char *const *argv, const char *option);

#endif
