package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/go-logr/logr"
)

const (
	// childGrace is how long a child may take to end after SIGTERM.
	childGrace = 3 * time.Second
	// childRestart is the pause before a child that has ended by itself is started again.
	childRestart = 2 * time.Second
)

// child is a program that runs as long as the stack does and is started again when it ends.
type child struct {
	// args are the program and its arguments.
	args, environment []string
	// log is the file its output is appended to; pid is where the running process is recorded.
	log, pid string
	logger   logr.Logger

	mu       sync.Mutex
	restarts int
	last     error // why it ended last
	done     chan struct{}
}

// startChild ends what a killed stack has left running and starts the program. It runs until ctx ends.
// environment comes in place of the stack's own variables of those names.
func startChild(ctx context.Context, args, environment []string, log, pid string, logger logr.Logger) (*child, error) {
	if err := endLeftover(ctx, pid); err != nil {
		return nil, err
	}
	c := &child{args: args, environment: environment, log: log, pid: pid, logger: logger, done: make(chan struct{})}
	started := make(chan error, 1)
	go c.supervise(ctx, started)
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// supervise stays on one system thread, because the child is tied to the thread that started it.
func (c *child) supervise(ctx context.Context, started chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	defer close(c.done)
	first := true
	for ctx.Err() == nil {
		err := c.run(ctx, func() {
			if first {
				started <- nil
			}
			first = false
		})
		if first {
			started <- err
			return
		}
		if ctx.Err() != nil {
			return
		}
		c.mu.Lock()
		c.restarts++
		c.last = err
		c.mu.Unlock()
		c.logger.Info("Child process ended, starting it again", "command", c.args[0], "reason", fmt.Sprint(err), "log", c.log)
		select {
		case <-ctx.Done():
		case <-time.After(childRestart):
		}
	}
	if first {
		started <- ctx.Err()
	}
}

func (c *child) run(ctx context.Context, running func()) error {
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log file: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), c.environment...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = childGrace
	tie(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.args[0], err)
	}
	if err := (process{PID: cmd.Process.Pid, Command: commandOf(c.args)}).save(c.pid); err != nil {
		c.logger.Error(err, "Child process is not recorded, a killed stack would leave it running on systems other than Linux")
	}
	running()
	err = cmd.Wait()
	_ = os.Remove(c.pid)
	return err
}

// failed returns why the child ended last, nil if it never did.
func (c *child) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.restarts == 0 {
		return nil
	}
	return fmt.Errorf("%s ended %d times: %w", c.args[0], c.restarts, c.last)
}

// wait returns when the child has ended for good; its context must have ended.
func (c *child) wait() { <-c.done }

// endLeftover ends the recorded process if it still runs the recorded command line.
func endLeftover(ctx context.Context, pid string) error {
	left, alive := leftover(pid)
	if !alive {
		return nil
	}
	_ = syscall.Kill(left.PID, syscall.SIGTERM)
	for wait := childGrace; ; wait -= 50 * time.Millisecond {
		if _, alive := leftover(pid); !alive {
			return os.Remove(pid)
		}
		if wait <= 0 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	if err := syscall.Kill(left.PID, syscall.SIGKILL); err != nil {
		return fmt.Errorf("end process %d of the last run: %w", left.PID, err)
	}
	return os.Remove(pid)
}
