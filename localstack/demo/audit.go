package demo

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// AuditEntry is what the proof needs of one line of an API server's audit log.
type AuditEntry struct {
	Verb      string    `json:"verb"`
	UserAgent string    `json:"userAgent"`
	Time      time.Time `json:"requestReceivedTimestamp"`
	User      struct {
		Username string `json:"username"`
	} `json:"user"`
	Object struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	Status struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

// operatorAgent is the user agent of the operator, on the management cluster and on workload clusters.
const operatorAgent = "fleetwright"

// byOperator tells the operator's calls from those of the stack itself, whose user agents begin alike.
func (e AuditEntry) byOperator() bool {
	product, _, _ := strings.Cut(e.UserAgent, "/")
	product, _, _ = strings.Cut(product, " ")
	return product == operatorAgent
}

// what is verb and resource as in "create pods/eviction".
func (e AuditEntry) what() string {
	resource := e.Object.Resource
	if e.Object.Subresource != "" {
		resource += "/" + e.Object.Subresource
	}
	return e.Verb + " " + resource
}

// auditSize is how long an audit log is now; 0 when there is none yet.
func auditSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// readAudit calls each for every entry that begins at or after the offset.
func readAudit(path string, offset int64, each func(AuditEntry)) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open audit log: %w", err)
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return fmt.Errorf("read audit log %s: %w", path, err)
	}
	lines := bufio.NewReaderSize(file, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what is left of a line is still being written
		}
		if err != nil {
			return fmt.Errorf("read audit log %s: %w", path, err)
		}
		var entry AuditEntry
		if err := json.Unmarshal(line, &entry); err != nil {
			return fmt.Errorf("read audit log %s: %w", path, err)
		}
		each(entry)
	}
}
