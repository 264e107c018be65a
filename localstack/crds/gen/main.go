// Command gen reads the custom resource definitions and webhook configurations of Cluster API and CAPZ out of their Go
// modules and writes them as JSON beside this folder, in generated. It runs in the localstack module, whose go.mod pins
// the versions and whose go.sum the go command checks them against. Files that would not change are not written, so that
// a second run leaves the build cache warm.
//
// With -real it writes what only the real CAPZ and ASO managers need, pinned by the modules under realcapz, to a folder
// that is read when they are started.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// embedding is the package that embeds what is written here.
const embedding = "github.com/fleetwright/fleetwright/localstack/crds"

func main() {
	forManagers := flag.String("real", "", "write what the real CAPZ and ASO managers need to this folder instead")
	controllerGen := flag.String("controller-gen", "controller-gen", "the program that generates definitions from types, for -real")
	flag.Parse()
	if err := run(*forManagers, *controllerGen); err != nil {
		fmt.Fprintf(os.Stderr, "Read custom resource definitions: %v\n", err)
		os.Exit(1)
	}
}

func run(forManagers, controllerGen string) error {
	directory, err := goCommand("", "list", "-f", "{{.Dir}}", embedding)
	if err != nil {
		return fmt.Errorf("find the folder of %s: %w", embedding, err)
	}
	here := string(bytes.TrimSpace(directory))
	if forManagers != "" {
		target, err := filepath.Abs(forManagers)
		if err != nil {
			return err
		}
		if controllerGen, err = filepath.Abs(controllerGen); err != nil {
			return err
		}
		return writeReal(target, here, controllerGen)
	}
	for _, source := range sources() {
		if err := source.write(filepath.Join(here, "generated"), here); err != nil {
			return err
		}
	}
	return nil
}
