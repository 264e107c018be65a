package main

import (
	"github.com/spf13/cobra"

	"github.com/fleetwright/fleetwright/localstack/command"
)

// commands are what localstack itself can do; each is made in the package that does the work. The names in programs are taken.
func commands() []*cobra.Command {
	return append(command.All(), envtestCommand())
}
