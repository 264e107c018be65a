package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// lastWords is how much of a failed command's output goes into its error.
const lastWords = 2000

// stopPatience is how long an interrupted command may take to end before it is killed.
const stopPatience = 30 * time.Second

// task is a command to be run and timed.
type task struct {
	// dir is where it runs; empty: here.
	dir string
	// env is added to ours.
	env  []string
	args []string
}

// cost is what running a task took.
type cost struct {
	wall time.Duration
	// processor is what it and all its children used, in their own code and in the kernel.
	processor time.Duration
	output    string
}

func (t task) run(ctx context.Context) (cost, error) {
	var output bytes.Buffer
	command := exec.CommandContext(ctx, t.args[0], t.args[1:]...)
	// Without the variables of the make that runs us, as if it were typed in a fresh shell.
	command.Dir, command.Env = t.dir, append(append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL="), t.env...)
	command.Stdout, command.Stderr = &output, &output
	// A group of its own, so that an interrupt reaches what make has started.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGINT) }
	command.WaitDelay = stopPatience
	began := time.Now()
	err := command.Run()
	spent := cost{wall: time.Since(began), output: output.String()}
	if command.ProcessState != nil {
		spent.processor = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	}
	if err != nil {
		tail := strings.TrimSpace(spent.output)
		return spent, fmt.Errorf("run %s: %w\n%s", strings.Join(t.args, " "), errors.Join(err, ctx.Err()), tail[max(0, len(tail)-lastWords):])
	}
	return spent, nil
}
