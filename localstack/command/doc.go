// Package command is the command line of the local stack.
package command
