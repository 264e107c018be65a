package stack

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// tie makes the system end the child when the thread that started it ends, which happens at the latest with this process,
// even after kill -9. The thread must therefore be kept until the child has ended.
func tie(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// commandLine is the command line of a running process, arguments separated by spaces; empty for one that has ended.
func commandLine(pid int) (string, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(strings.TrimRight(string(content), "\x00"), "\x00", " "), nil
}
