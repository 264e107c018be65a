package crds

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The folder's .gitignore is embedded too (all:), so that the pattern matches before anything was generated.
//
//go:embed all:generated
var generated embed.FS

// ErrNotGenerated says that the definitions were not read from the Go modules before this program was built.
var ErrNotGenerated = errors.New("the custom resource definitions were not generated: run `go generate ./crds` in localstack, then build again")

// Kinds of the objects this package deals with.
const (
	definition = "CustomResourceDefinition"
	mutating   = "MutatingWebhookConfiguration"
	validating = "ValidatingWebhookConfiguration"
)

// Provider names the project whose definitions are wanted.
type Provider string

const (
	// ClusterAPI is Cluster API's core provider.
	ClusterAPI Provider = "capi"
	// Azure is CAPZ, Cluster API's Azure provider.
	Azure Provider = "capz"
)

// Definitions returns the custom resource definitions of a provider, with the labels that its kustomization adds and
// without any conversion webhook. The objects are the caller's to change. It fails with ErrNotGenerated in a program
// that was built before generation.
func Definitions(provider Provider) ([]*unstructured.Unstructured, error) {
	return load(provider, definition)
}

// WebhookConfigurations returns the mutating and validating webhook configurations of a provider as published: they
// point to a Service, which Install replaces.
func WebhookConfigurations(provider Provider) ([]*unstructured.Unstructured, error) {
	return load(provider, mutating, validating)
}

// Version returns the module version that a provider's definitions were read from, such as "v1.14.2".
func Version(provider Provider) (string, error) {
	content, err := generated.ReadFile(path.Join("generated", string(provider), "VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", ErrNotGenerated
	}
	return string(content), err
}

func load(provider Provider, kinds ...string) ([]*unstructured.Unstructured, error) {
	found, err := Read(generated, path.Join("generated", string(provider)), kinds...)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotGenerated
	}
	return found, err
}

// Read returns the objects of the given kinds from the files that `go run ./crds/gen` has written to a folder of files. It
// fails with fs.ErrNotExist when there are none.
func Read(files fs.FS, folder string, kinds ...string) ([]*unstructured.Unstructured, error) {
	names, err := fs.Glob(files, path.Join(folder, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", folder, err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("read definitions in %s: %w", folder, fs.ErrNotExist)
	}
	var found []*unstructured.Unstructured
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		object := &unstructured.Unstructured{}
		if err := json.Unmarshal(content, &object.Object); err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		if slices.Contains(kinds, object.GetKind()) {
			found = append(found, object)
		}
	}
	return found, nil
}
