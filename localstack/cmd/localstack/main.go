// Command localstack is one binary that plays several programs. Called as etcd or kube-apiserver (through a symlink, or as the first
// argument) it is that program, with its flags; this is how envtest finds its control plane without downloading one. Called by its own name
// it offers the commands of the local stack.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/fleetwright/fleetwright/localstack/realcapz/sandbox"
)

func main() {
	if program, args := choose(os.Args); program != nil {
		os.Args = args
		os.Exit(program())
	}
	if err := root().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// choose returns the program that args ask for, and its own arguments; nil if they ask for the local stack itself.
func choose(args []string) (func() int, []string) {
	if p, ok := programs()[filepath.Base(args[0])]; ok {
		return p, args
	}
	if len(args) > 1 {
		if args[1] == sandbox.Command { // not for people: the local stack calls itself so
			return sandbox.Main, args[1:]
		}
		if p, ok := programs()[args[1]]; ok {
			return p, args[1:]
		}
	}
	return nil, args
}

// root is the command line of the local stack itself.
func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "localstack",
		Short:         "A fleet of simulated AKS clusters on this machine",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(commands()...)
	return cmd
}
