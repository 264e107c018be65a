//go:build unix && !linux

package stack

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// tie keeps the terminal's Ctrl-C from the child, which is ended in its turn. Only Linux can also end it with this process
// when that is killed; elsewhere the next start does it.
func tie(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// commandLine is the command line of a running process, arguments separated by spaces; empty for one that has ended.
func commandLine(pid int) (string, error) {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return strings.TrimSpace(string(out)), err
}
