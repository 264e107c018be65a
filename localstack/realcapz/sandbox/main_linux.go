package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// programGrace is how long a program may take to end after SIGTERM.
const programGrace = stopGrace - 2*time.Second

// Main is the process inside: it sets up the namespace, relays ports and runs the programs. It returns an exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := inside(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func inside(ctx context.Context) error {
	var p plan
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	if err := loopbackUp(); err != nil {
		return err
	}
	for i, port := range p.Expose {
		listener, err := tcpListener(firstRelay + i)
		if err != nil {
			return fmt.Errorf("take the listener for port %d: %w", port, err)
		}
		go relay(ctx, listener, loopback(port))
	}
	control, err := unixConn(controlFD)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	context.AfterFunc(ctx, func() { _ = control.Close() }) // ends serve
	begin := make(chan struct{})
	group.Go(func() error {
		if err := serve(ctx, control, begin); ctx.Err() == nil {
			return err
		}
		return nil
	})
	for _, program := range p.Programs {
		group.Go(func() error {
			select {
			case <-ctx.Done():
				return nil
			case <-begin:
				return program.run(ctx)
			}
		})
	}
	return group.Wait()
}

// loopbackUp turns on the only device of a new network namespace.
func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a socket to configure the loopback device: %w", err)
	}
	defer func() { _ = unix.Close(socket) }()
	device, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("name the loopback device: %w", err)
	}
	device.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, device); err != nil {
		return fmt.Errorf("turn on the loopback device: %w", err)
	}
	return nil
}

// run runs the program until it ends, which is an error unless ctx ended before.
func (p Program) run(ctx context.Context) error {
	runtime.LockOSThread() // the program dies with the thread that started it; never unlocked
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", p.Name, err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(ctx, p.Args[0], p.Args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.Env, log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = programGrace
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("%s has ended by itself: %w; see %s", p.Name, orSuccess(err), p.Log)
}

func orSuccess(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}
