package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// source says which files of a module are wanted and what its kustomization does to them.
type source struct {
	module, folder string
	// in is the folder, relative to package crds, of the module whose go.mod pins the version; empty: this one.
	in string
	// config is the kustomize folder inside the module.
	config string
	// definitions are the plural.group names wanted; none means all. Others would only cost the API server memory: it keeps each
	// definition several times (decoded, as OpenAPI v2 and v3).
	definitions []string
	// labels are those that config/default adds to everything.
	labels map[string]string
	// contract is the prefix of the patches that add contract labels to the definitions; empty: none.
	contract string
}

func sources() []source {
	return []source{{
		module: "sigs.k8s.io/cluster-api",
		folder: "capi",
		config: "core/config",
		labels: map[string]string{"cluster.x-k8s.io/provider": "cluster-api"},
		definitions: []string{
			"clusters.cluster.x-k8s.io",
			"machinepools.cluster.x-k8s.io",
			"machines.cluster.x-k8s.io",
			// The Cluster controller counts a cluster's machine sets and deployments, also where none exist.
			"machinesets.cluster.x-k8s.io",
			"machinedeployments.cluster.x-k8s.io",
			"machinehealthchecks.cluster.x-k8s.io",
			"machinedrainrules.cluster.x-k8s.io",
			"clusterresourcesets.addons.cluster.x-k8s.io",
			"clusterresourcesetbindings.addons.cluster.x-k8s.io",
		},
	}, {
		module:   "sigs.k8s.io/cluster-api-provider-azure",
		folder:   "capz",
		config:   "config",
		labels:   map[string]string{"cluster.x-k8s.io/provider": "infrastructure-azure"},
		contract: "capicontract_in_",
		definitions: []string{
			"azureasomanagedclusters.infrastructure.cluster.x-k8s.io",
			"azureasomanagedcontrolplanes.infrastructure.cluster.x-k8s.io",
			"azureasomanagedmachinepools.infrastructure.cluster.x-k8s.io",
			"azureclusteridentities.infrastructure.cluster.x-k8s.io",
			"azuremanagedclusters.infrastructure.cluster.x-k8s.io",
			"azuremanagedcontrolplanes.infrastructure.cluster.x-k8s.io",
			"azuremanagedmachinepools.infrastructure.cluster.x-k8s.io",
		},
	}}
}

// write reads the source and writes it to its folder under target; here is the folder of package crds.
func (s source) write(target, here string) error {
	module, err := find(filepath.Join(here, s.in), s.module)
	if err != nil {
		return err
	}
	files, err := s.read(module.Dir)
	if err != nil {
		return fmt.Errorf("read %s %s: %w", s.module, module.Version, err)
	}
	files["VERSION"] = []byte(module.Version)
	if err := write(target, s.folder, files); err != nil {
		return fmt.Errorf("write the definitions of %s: %w", s.module, err)
	}
	return nil
}

// read returns the wanted files, by name.
func (s source) read(moduleDir string) (map[string][]byte, error) {
	config := filepath.Join(moduleDir, filepath.FromSlash(s.config))
	files := map[string][]byte{}
	wanted := s.definitions
	if len(wanted) == 0 {
		var err error
		if wanted, err = published(config); err != nil {
			return nil, err
		}
	}
	for _, name := range wanted {
		plural, group, _ := strings.Cut(name, ".")
		objects, err := readYAML(filepath.Join(config, "crd", "bases", group+"_"+plural+".yaml"))
		if err != nil {
			return nil, err
		}
		if err := s.label(config, plural, objects[0]); err != nil {
			return nil, err
		}
		if err := add(files, name, objects[0]); err != nil {
			return nil, err
		}
	}
	hooks, err := readYAML(filepath.Join(config, "webhook", "manifests.yaml"))
	if err != nil {
		return nil, err
	}
	for _, hook := range hooks {
		if err := add(files, strings.ToLower(hook.GetKind()), hook); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// label does what the provider's kustomization does: labels of the whole provider, and the Cluster API contracts that a
// version of this definition fulfils. Cluster API does not find a provider's kinds without the latter.
func (s source) label(config, plural string, definition *unstructured.Unstructured) error {
	labels := definition.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, s.labels)
	if s.contract != "" {
		patches, err := readYAML(filepath.Join(config, "crd", "patches", s.contract+plural+".yaml"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, patch := range patches {
			maps.Copy(labels, patch.GetLabels())
		}
	}
	definition.SetLabels(labels)
	return nil
}

func readYAML(path string) ([]*unstructured.Unstructured, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for document := range strings.SplitSeq("\n"+string(content), "\n---") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			return nil, fmt.Errorf("parse %s: %w", path, err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
	if len(objects) == 0 {
		return nil, fmt.Errorf("%s holds no object", path)
	}
	return objects, nil
}

func add(files map[string][]byte, name string, object *unstructured.Unstructured) error {
	content, err := json.Marshal(object.Object)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	files[name+".json"] = content
	return nil
}
