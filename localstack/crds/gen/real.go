package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// asoPackages are the API groups of Azure Service Operator whose definitions CAPZ works with, and authorization, whose
// role assignments belong to a cluster as well.
var asoPackages = []string{"authorization", "containerservice", "kubernetesconfiguration", "network", "resources"}

// asoDefinitions are those CAPZ's own kustomization lets Azure Service Operator install, and role assignments. Each
// further one costs the API server and the manager memory.
var asoDefinitions = []string{
	"bastionhosts.network.azure.com",
	"extensions.kubernetesconfiguration.azure.com",
	"fleetsmembers.containerservice.azure.com",
	"maintenanceconfigurations.containerservice.azure.com",
	"managedclusters.containerservice.azure.com",
	"managedclustersagentpools.containerservice.azure.com",
	"natgateways.network.azure.com",
	"privateendpoints.network.azure.com",
	"resourcegroups.resources.azure.com",
	"roleassignments.authorization.azure.com",
	"virtualnetworks.network.azure.com",
	"virtualnetworkssubnets.network.azure.com",
}

// realSources are what the real managers need beyond what the stand-in does: CAPZ's manager watches all its kinds and ends
// itself when one is not installed.
func realSources() []source {
	return []source{{
		module:   "sigs.k8s.io/cluster-api-provider-azure",
		in:       "../realcapz/capz",
		folder:   "capz",
		config:   "config",
		labels:   map[string]string{"cluster.x-k8s.io/provider": "infrastructure-azure"},
		contract: "capicontract_in_",
	}}
}

// writeReal writes to target what the real CAPZ and ASO managers need; here is this program's folder.
func writeReal(target, here, controllerGen string) error {
	for _, source := range realSources() {
		if err := source.write(target, here); err != nil {
			return err
		}
	}
	return writeASO(target, filepath.Join(here, "../realcapz/aso"), controllerGen)
}

// writeASO generates the definitions and the webhook configurations from the types, because Azure Service Operator's module
// does not hold any. Without descriptions: with them one is as large as etcd's limit.
func writeASO(target, moduleDir, controllerGen string) error {
	const path = "github.com/Azure/azure-service-operator/v2"
	aso, err := find(moduleDir, path)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "aso-definitions-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	arguments := []string{
		"crd:crdVersions=v1,allowDangerousTypes=true,maxDescLen=0", "output:crd:artifacts:config=" + scratch,
		"webhook", "output:webhook:artifacts:config=" + scratch,
	}
	for _, each := range asoPackages {
		arguments = append(arguments, "paths="+path+"/api/"+each+"/...")
	}
	command := exec.Command(controllerGen, arguments...)
	command.Dir, command.Stderr = moduleDir, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("generate the definitions of Azure Service Operator %s: %w", aso.Version, err)
	}
	files := map[string][]byte{"VERSION": []byte(aso.Version)}
	for _, name := range asoDefinitions {
		plural, group, _ := strings.Cut(name, ".")
		objects, err := readYAML(filepath.Join(scratch, group+"_"+plural+".yaml"))
		if err != nil {
			return err
		}
		// Azure Service Operator does not see definitions without these.
		objects[0].SetLabels(map[string]string{
			"app.kubernetes.io/name":    "azure-service-operator",
			"app.kubernetes.io/version": aso.Version,
		})
		if err := add(files, name, objects[0]); err != nil {
			return err
		}
	}
	hooks, err := readYAML(filepath.Join(scratch, "manifests.yaml"))
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		if err := add(files, strings.ToLower(hook.GetKind()), hook); err != nil {
			return err
		}
	}
	return write(target, "aso", files)
}

// published are the names of all definitions in a module.
func published(config string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(config, "crd", "bases", "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, errors.New("there are no definitions in " + config)
	}
	var names []string
	for _, path := range paths {
		group, plural, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".yaml"), "_")
		names = append(names, plural+"."+group)
	}
	slices.Sort(names)
	return names, nil
}
