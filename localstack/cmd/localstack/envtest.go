package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
)

// envtestCommand makes a directory that envtest takes as KUBEBUILDER_ASSETS.
func envtestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "envtest DIR",
		Short: "Make DIR usable as KUBEBUILDER_ASSETS and print its absolute path",
		Long: "Make DIR and put links named etcd and kube-apiserver to this binary into it, so that tests with controller-runtime's envtest run against\n" +
			"the real programs without a download. Links from an earlier run are replaced; other files of these names are left alone and are an error.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			binary, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this binary: %w", err)
			}
			dir, err := linkAssets(binary, args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), dir)
			return err
		},
	}
}

func linkAssets(binary, dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find assets directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make assets directory: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(programs())) {
		if err := link(binary, filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func link(binary, name string) error {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("look at %s: %w", name, err)
	case info.Mode()&fs.ModeSymlink == 0:
		return fmt.Errorf("%s exists and is not a link: remove it or choose another directory", name)
	default:
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("replace link: %w", err)
		}
	}
	if err := os.Symlink(binary, name); err != nil {
		return fmt.Errorf("link %s: %w", name, err)
	}
	return nil
}
