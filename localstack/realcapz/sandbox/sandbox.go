package sandbox

import (
	"errors"
	"fmt"
	"net"
	"strconv"
)

// Command is the first argument with which Start runs this program again inside the namespace. Every program that uses this
// package has to call Main when it is given that argument.
const Command = "realcapz-sandbox"

// ErrUnsupported says that the system gives this user no private network namespace.
var ErrUnsupported = errors.New("no private network namespace to be had")

// Program is a program to run inside.
type Program struct {
	// Name is what messages call it.
	Name string `json:"name"`
	// Args are the path of the program and its arguments.
	Args []string `json:"args"`
	// Env is its whole environment.
	Env []string `json:"env"`
	// Log is the file its output is appended to.
	Log string `json:"log"`
}

// Options say what runs inside and which ports are relayed.
type Options struct {
	// Programs run until the context of Start ends. When one of them ends before, all do.
	Programs []Program
	// Bring are ports of this machine's 127.0.0.1 that the programs reach at the same address from their start on; more can
	// follow with Sandbox.Bring.
	Bring []int
	// Expose are listeners of this machine whose connections reach a port inside. They are the caller's to close: once Start
	// has returned nothing but the sandbox needs them.
	Expose []Door
}

// Door leads into the sandbox.
type Door struct {
	// Listener is where this machine knocks, Port the port of 127.0.0.1 inside that answers.
	Listener *net.TCPListener
	Port     int
}

// plan is what the process inside is told.
type plan struct {
	Programs []Program `json:"programs"`
	Expose   []int     `json:"expose"`
}

// request is what the process outside asks of the one inside, and reply what that answers, one packet each. The listener
// that was asked for comes with the reply.
type request struct {
	// Port is to be opened. 0: the programs are to be started.
	Port int `json:"port,omitempty"`
}

type reply struct {
	Error string `json:"error,omitempty"`
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (o Options) plan() plan {
	p := plan{Programs: o.Programs}
	for _, door := range o.Expose {
		p.Expose = append(p.Expose, door.Port)
	}
	return p
}

func (o Options) validate() error {
	if len(o.Programs) == 0 {
		return errors.New("there is no program to run")
	}
	for _, program := range o.Programs {
		if len(program.Args) == 0 {
			return fmt.Errorf("program %q has no path", program.Name)
		}
	}
	return nil
}
