package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

var unsafeInFileName = regexp.MustCompile(`[^a-z0-9-]+`)

// reserveName is what people call the cluster, in the names of its kubeconfig and audit log: its own name, unless a cluster of
// that name in another resource group was there before. It is written down before the cluster starts, and stays the
// cluster's own until it is deleted: after a restart all clusters start at once.
func (c *clusters) reserveName(wanted sim.Cluster) (string, error) {
	c.naming.Lock()
	defer c.naming.Unlock()
	server := serverName(wanted.ID)
	if name, err := c.nameOf(server); name != "" || err != nil {
		return name, err
	}
	taken, err := c.namesTaken()
	if err != nil {
		return "", err
	}
	name := strings.Trim(unsafeInFileName.ReplaceAllString(strings.ToLower(wanted.Name), "-"), "-")
	if slices.Contains(taken, name) {
		name += "-" + shortHash(wanted.ID)
	}
	file := c.layout.workloadName(server)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", fmt.Errorf("make directory: %w", err)
	}
	return name, replaceFile(file, []byte(name+"\n"))
}

// nameOf is the name that a cluster has reserved, empty if it has none.
func (c *clusters) nameOf(server string) (string, error) {
	content, err := os.ReadFile(c.layout.workloadName(server))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the name of cluster %s: %w", server, err)
	}
	return strings.TrimSpace(string(content)), nil
}

// namesTaken are the names of all clusters there are, running or not.
func (c *clusters) namesTaken() ([]string, error) {
	entries, err := os.ReadDir(c.layout.workload(""))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read the names of clusters: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		name, err := c.nameOf(entry.Name())
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// serverName is where the cluster's data is, in etcd and in the stack's directory. It depends on the ARM id alone.
func serverName(id string) string {
	name := unsafeInFileName.ReplaceAllString(strings.ToLower(id[strings.LastIndexByte(id, '/')+1:]), "-")
	return strings.Trim(name[:min(len(name), 48)], "-") + "-" + shortHash(id)
}

func shortHash(id string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(id)))
	return hex.EncodeToString(sum[:4])
}
