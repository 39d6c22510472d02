package relay

import "syscall"

// endWithParent ends a program when its parent is killed.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGTERM }
