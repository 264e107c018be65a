package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// module is where the go command keeps one version of a module.
type module struct{ Dir, Version string }

// find downloads the version of a module that the go.mod in folder in selects, verified against its go.sum, and returns
// where it is.
func find(in, path string) (module, error) {
	var found module
	// -mod=readonly: a missing requirement is an error here, not a reason to edit go.mod.
	version, err := goCommand(in, "list", "-mod=readonly", "-m", "-f", "{{.Version}}", path)
	if err != nil {
		return found, fmt.Errorf("find the version of %s: %w", path, err)
	}
	output, err := goCommand(in, "mod", "download", "-json", path+"@"+string(bytes.TrimSpace(version)))
	if err != nil {
		return found, fmt.Errorf("download %s: %w", path, err)
	}
	if err := json.Unmarshal(output, &found); err != nil {
		return found, fmt.Errorf("read where %s is: %w", path, err)
	}
	return found, nil
}

func goCommand(in string, arguments ...string) ([]byte, error) {
	command := exec.Command("go", arguments...)
	command.Dir, command.Stderr = in, os.Stderr
	return command.Output()
}

// write makes folder hold exactly files. What is there already is left untouched, with its modification time.
func write(target, folder string, files map[string][]byte) error {
	directory := filepath.Join(target, folder)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(directory, name)
		present, err := os.ReadFile(path)
		if err == nil && bytes.Equal(present, content) {
			continue
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if _, wanted := files[entry.Name()]; !wanted {
			if err := os.Remove(filepath.Join(directory, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
