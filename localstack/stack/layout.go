package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// DefaultName is the stack that is meant when nobody names one.
const DefaultName = "default"

var namePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$`)

// Layout knows where a stack keeps what.
type Layout struct {
	// Dir is the stack's directory, an absolute path.
	Dir string
}

// LayoutOf returns the layout of the named stack under root; an empty root is ".localstack" in the working directory. A
// name is at most 32 lower-case letters, digits and dashes.
func LayoutOf(root, name string) (Layout, error) {
	if name == "" {
		name = DefaultName
	}
	if !namePattern.MatchString(name) {
		return Layout{}, fmt.Errorf("stack name %q is not made of at most 32 lower-case letters, digits and dashes", name)
	}
	if root == "" {
		root = ".localstack"
	}
	dir, err := filepath.Abs(filepath.Join(root, name))
	if err != nil {
		return Layout{}, fmt.Errorf("find directory of stack %s: %w", name, err)
	}
	return Layout{Dir: dir}, nil
}

// Name is the stack's name.
func (l Layout) Name() string { return filepath.Base(l.Dir) }

// Kubeconfig is the file with the administrator's access to the management cluster.
func (l Layout) Kubeconfig() string { return filepath.Join(l.Dir, "kubeconfig") }

// ClusterKubeconfig is the file with the administrator's access to the API server of a simulated AKS cluster.
func (l Layout) ClusterKubeconfig(cluster string) string {
	return filepath.Join(l.Dir, "clusters", cluster+".kubeconfig")
}

// ClusterKubeconfigs are the kubeconfig files of all simulated AKS clusters, sorted.
func (l Layout) ClusterKubeconfigs() []string {
	files, err := filepath.Glob(l.ClusterKubeconfig("*"))
	if err != nil {
		return nil // only a malformed pattern fails
	}
	slices.Sort(files)
	return files
}

// Logs is the folder of the log files.
func (l Layout) Logs() string { return filepath.Join(l.Dir, "logs") }

// Log is one of the log files: "fleetwright", "cluster-api", "capz", "azure" or "kubernetes".
func (l Layout) Log(part string) string { return filepath.Join(l.Logs(), part+".log") }

// ManagementAudit is the management API server's audit log: one JSON line for each write.
func (l Layout) ManagementAudit() string { return filepath.Join(l.Logs(), "audit-management.jsonl") }

// ClusterAudit is the same of a simulated AKS cluster.
func (l Layout) ClusterAudit(cluster string) string {
	return filepath.Join(l.Logs(), "audit-cluster-"+cluster+".jsonl")
}

// SharedWorkloadAudit is the same of the API server that all simulated AKS clusters share, see Options.SharedWorkload.
func (l Layout) SharedWorkloadAudit() string {
	return filepath.Join(l.Logs(), "audit-shared-workload.jsonl")
}

// OperatorKubeconfig is the file with the operator's access to the management cluster.
func (l Layout) OperatorKubeconfig() string { return filepath.Join(l.Dir, "operator", "kubeconfig") }

// AzureCA is the certificate authority of the simulated Azure.
func (l Layout) AzureCA() string { return filepath.Join(l.azure(), "ca.pem") }

func (l Layout) etcd() string       { return filepath.Join(l.Dir, "etcd") }
func (l Layout) authority() string  { return filepath.Join(l.Dir, "ca") }
func (l Layout) management() string { return filepath.Join(l.Dir, "management") }
func (l Layout) azure() string      { return filepath.Join(l.Dir, "azure") }
func (l Layout) provider() string   { return filepath.Join(l.Dir, "provider") }
func (l Layout) lock() string       { return filepath.Join(l.Dir, "lock") }
func (l Layout) record() string     { return filepath.Join(l.Dir, "stack.json") }
func (l Layout) sharedWorkload() string {
	return filepath.Join(l.Dir, "shared-workload")
}
func (l Layout) operatorPID() string {
	return filepath.Join(l.Dir, "operator", "process.json")
}

// workload is the directory of one simulated AKS cluster; server is the name its API server goes by.
func (l Layout) workload(server string) string { return filepath.Join(l.Dir, "workload", server) }

// workloadName is the file that says what people call that cluster.
func (l Layout) workloadName(server string) string { return filepath.Join(l.workload(server), "name") }

// Create makes the folders that every stack has, readable by this user only. Start does so too.
func (l Layout) Create() error {
	for _, dir := range []string{l.Dir, l.Logs(), filepath.Dir(l.ClusterKubeconfig("x")), filepath.Dir(l.OperatorKubeconfig()), l.authority()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
	}
	return nil
}

// Remove deletes everything the stack has kept. It fails with ErrInUse while the stack runs, and refuses directories that
// do not look like a stack's.
func (l Layout) Remove() error {
	if _, err := os.Stat(l.Dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if _, err := os.Stat(l.lock()); err != nil {
		return fmt.Errorf("%s is not the directory of a stack (%w): remove it by hand if it is to go", l.Dir, err)
	}
	held, err := acquire(l.lock())
	if err != nil {
		return err
	}
	defer held.release()
	if err := os.RemoveAll(l.Dir); err != nil {
		return fmt.Errorf("remove %s: %w", l.Dir, err)
	}
	return nil
}

// replaceFile writes a file in one step, readable by this user only.
func replaceFile(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = tmp.Write(content)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(tmp.Name())))
	}
	return nil
}
