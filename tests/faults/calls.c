/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

const struct call_kind call_kinds[] = {
    {SYS_open, CALL_OPEN, false, false, "open"},
    {SYS_openat, CALL_OPEN, false, false, "openat"},
    {SYS_read, CALL_READ, true, false, "read"},
    {SYS_pread64, CALL_READ, true, false, "pread"},
    {SYS_readv, CALL_READ, true, true, "readv"},
    {SYS_preadv, CALL_READ, true, true, "preadv"},
    {SYS_write, CALL_WRITE, true, false, "write"},
    {SYS_pwrite64, CALL_WRITE, true, false, "pwrite"},
    {SYS_writev, CALL_WRITE, true, true, "writev"},
    {SYS_pwritev, CALL_WRITE, true, true, "pwritev"},
    {SYS_ftruncate, CALL_WRITE, true, false, "ftruncate"},
    {SYS_fallocate, CALL_WRITE, true, false, "fallocate"},
    {SYS_copy_file_range, CALL_WRITE, true, false, "copy_file_range"},
    {SYS_fsync, CALL_SYNC, true, false, "fsync"},
    {SYS_fdatasync, CALL_SYNC, true, false, "fdatasync"},
    {SYS_syncfs, CALL_SYNC, true, false, "syncfs"},
    {SYS_close, CALL_CLOSE, true, false, "close"},
    {SYS_rename, CALL_NAME, false, false, "rename"},
    {SYS_renameat, CALL_NAME, false, false, "renameat"},
    {SYS_renameat2, CALL_NAME, false, false, "renameat2"},
    {SYS_link, CALL_NAME, false, false, "link"},
    {SYS_linkat, CALL_NAME, false, false, "linkat"},
    {SYS_unlink, CALL_NAME, false, false, "unlink"},
    {SYS_unlinkat, CALL_NAME, false, false, "unlinkat"},
    {SYS_mkdir, CALL_NAME, false, false, "mkdir"},
    {SYS_mkdirat, CALL_NAME, false, false, "mkdirat"},
    {SYS_rmdir, CALL_NAME, false, false, "rmdir"},
    {SYS_symlinkat, CALL_NAME, false, false, "symlinkat"},
    {SYS_mmap, CALL_MAP, false, false, "mmap"},
    {SYS_mremap, CALL_MAP, false, false, "mremap"},
    {SYS_brk, CALL_MAP, false, false, "brk"},
    {SYS_clone, CALL_THREAD, false, false, "clone"},
    {SYS_clone3, CALL_THREAD, false, false, "clone3"},
    {SYS_stat, CALL_OTHER, false, false, "stat"},
    {SYS_lstat, CALL_OTHER, false, false, "lstat"},
    {SYS_fstat, CALL_OTHER, true, false, "fstat"},
    {SYS_newfstatat, CALL_OTHER, true, false, "newfstatat"},
    {SYS_statx, CALL_OTHER, true, false, "statx"},
    {SYS_lseek, CALL_OTHER, true, false, "lseek"},
    {SYS_fcntl, CALL_OTHER, true, false, "fcntl"},
    {SYS_flock, CALL_OTHER, true, false, "flock"},
    {SYS_fadvise64, CALL_OTHER, true, false, "fadvise"},
    {SYS_sync_file_range, CALL_OTHER, true, false, "sync_file_range"},
    {SYS_madvise, CALL_OTHER, false, false, "madvise"},
    {SYS_getdents64, CALL_OTHER, true, false, "getdents"},
    {SYS_fchmod, CALL_OTHER, true, false, "fchmod"},
    {SYS_chmod, CALL_OTHER, false, false, "chmod"},
    {SYS_fchown, CALL_OTHER, true, false, "fchown"},
    {SYS_utimensat, CALL_OTHER, true, false, "utimensat"},
    {SYS_fsetxattr, CALL_OTHER, true, false, "fsetxattr"},
    {SYS_fgetxattr, CALL_OTHER, true, false, "fgetxattr"},
    {SYS_flistxattr, CALL_OTHER, true, false, "flistxattr"},
    {SYS_fstatfs, CALL_OTHER, true, false, "fstatfs"},
    {SYS_access, CALL_OTHER, false, false, "access"},
    {SYS_faccessat, CALL_OTHER, false, false, "faccessat"},
    {SYS_readlink, CALL_OTHER, false, false, "readlink"},
    {SYS_readlinkat, CALL_OTHER, false, false, "readlinkat"},
    {SYS_ioctl, CALL_OTHER, true, false, "ioctl"},
    {SYS_getcwd, CALL_OTHER, false, false, "getcwd"},
    {SYS_chdir, CALL_OTHER, false, false, "chdir"},
    {SYS_fchdir, CALL_OTHER, true, false, "fchdir"},
    {SYS_getrandom, CALL_OTHER, false, false, "getrandom"},
};
const unsigned call_kind_count = sizeof call_kinds / sizeof call_kinds[0];

const struct call_kind *call_kind_of(long number)
{
    for (unsigned i = 0; i < call_kind_count; i++)
        if (call_kinds[i].number == number)
            return &call_kinds[i];
    return NULL;
}

bool calls_stop_for_tracer(void)
{
    struct sock_filter code[2 * sizeof call_kinds / sizeof call_kinds[0] + 2];
    unsigned used = 0;
    code[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < call_kind_count; i++) {
        code[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call_kinds[i].number, 0, 1);
        code[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    }
    code[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {(unsigned short)used, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
