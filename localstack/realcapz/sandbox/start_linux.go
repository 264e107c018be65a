package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stopGrace is how long the programs may take to end after the context did. The process inside gives them a little less.
const stopGrace = 10 * time.Second

// File descriptors of the process inside, after the standard three: the socket it shares with us, then one listener for each
// exposed port.
const (
	controlFD  = 3
	firstRelay = 4
)

// Start runs the programs in a new network namespace and returns once they are started and the relays work. They run until
// ctx ends. It fails with ErrUnsupported where the system grants no namespace. When it returns an error nothing keeps
// running.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	s := &Sandbox{done: make(chan struct{}), life: ctx, brought: map[int]net.Listener{}}
	launched := make(chan error, 1)
	go s.run(ctx, o, launched, stop)
	if err := <-launched; err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	if err := s.setUp(o); err != nil {
		stop()
		return nil, fmt.Errorf("start sandbox: %w", errors.Join(err, s.Wait()))
	}
	return s, nil
}

func (s *Sandbox) setUp(o Options) error {
	for _, port := range o.Bring {
		if err := s.Bring(port); err != nil {
			return err
		}
	}
	_, err := s.ask(request{})
	return err
}

// run stays on one system thread, because the process inside dies with the thread that started it.
func (s *Sandbox) run(ctx context.Context, o Options, launched chan<- error, stop context.CancelFunc) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	defer close(s.done)
	defer s.close()
	defer stop()
	said := &tail{}
	cmd, control, err := launch(ctx, o, said)
	s.control = control
	launched <- err
	if err != nil {
		return
	}
	ended := cmd.Wait()
	if text := said.String(); text != "" {
		ended = errors.New(text)
	}
	if ctx.Err() == nil && ended == nil {
		ended = errors.New("the sandbox has ended by itself")
	}
	if ctx.Err() == nil || ended != nil && said.String() != "" {
		s.err = ended
	}
}

// launch starts the process inside and sends it the plan.
func launch(ctx context.Context, o Options, said *tail) (*exec.Cmd, *net.UnixConn, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, fmt.Errorf("find this program: %w", err)
	}
	what, err := json.Marshal(o.plan())
	if err != nil {
		return nil, nil, fmt.Errorf("encode the plan: %w", err)
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, self, Command)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(what), said
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid: true, Pdeathsig: syscall.SIGKILL,
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	defer func() {
		for _, file := range cmd.ExtraFiles { // the process inside has its own copies
			_ = file.Close()
		}
	}()
	for _, door := range o.Expose {
		file, err := door.Listener.File()
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("hand over port %d: %w", door.Port, err), ours.Close())
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, errors.Join(explain(err), ours.Close())
	}
	return cmd, ours, nil
}

// explain says what a person can do where the system refuses the namespace.
func explain(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("%w: %w (this user may not make user namespaces: see sysctl user.max_user_namespaces, "+
			"kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns, or the container's seccomp profile)", ErrUnsupported, err)
	}
	return err
}

// socketPair returns two ends of a connection; the second is for the process inside.
func socketPair() (*net.UnixConn, *os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "theirs")
	ours, err := unixConn(pair[0])
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return ours, theirs, nil
}

// unixConn takes over a socket.
func unixConn(fd int) (*net.UnixConn, error) {
	file := os.NewFile(uintptr(fd), "socket")
	conn, err := net.FileConn(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("use a socket: %w", err)
	}
	ours, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the socket is a %T", conn), conn.Close())
	}
	return ours, nil
}

// tcpListener takes over a listening socket.
func tcpListener(fd int) (net.Listener, error) {
	unix.CloseOnExec(fd)
	file := os.NewFile(uintptr(fd), "listener")
	listener, err := net.FileListener(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("use a listening socket: %w", err)
	}
	return listener, nil
}

// tail keeps the end of what the process inside says.
type tail struct{ kept []byte }

const tailSize = 4096

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - tailSize; extra > 0 {
		t.kept = t.kept[extra:]
	}
	return len(p), nil
}

// String may be called once the process has been waited for.
func (t *tail) String() string { return strings.TrimSpace(string(t.kept)) }
