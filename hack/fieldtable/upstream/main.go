// Command upstream reads from the sources of CAPZ and Azure Service Operator which fields an agent pool has, and of which CAPZ's
// webhook refuses a change, for the test of package agentpool's table. It is run by hand after one of them was updated, because
// their modules are large:
//
//	go run ./hack/fieldtable/upstream
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	out        = "internal/agentpool/testdata/upstream.json"
	asoModule  = "github.com/Azure/azure-service-operator/v2"
	capzModule = "sigs.k8s.io/cluster-api-provider-azure"
)

// source is what was read from one module.
type source struct {
	Module, Version string
	// Fields are all paths that can be set.
	Fields []string
	// Preview are those that only the preview API has, Immutable those that the webhook refuses to change.
	Preview   []string `json:",omitempty"`
	Immutable []string `json:",omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	aso, err := readASO()
	if err != nil {
		return err
	}
	capz, err := readCAPZ()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent([]source{aso, capz}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(text, '\n'), 0o644)
}

func readASO() (source, error) {
	folder, s, err := download("localstack/realcapz/aso", asoModule)
	if err != nil {
		return s, err
	}
	api := filepath.Join(folder, "api", "containerservice")
	if s.Fields, err = fields(filepath.Join(api, "v1api20250801"), "ManagedClustersAgentPool_Spec"); err != nil {
		return s, err
	}
	preview, err := fields(filepath.Join(api, "v20251002preview"), "ManagedClustersAgentPool_Spec")
	s.Preview = slices.DeleteFunc(preview, func(path string) bool { return slices.Contains(s.Fields, path) })
	return s, err
}

var immutable = regexp.MustCompile(`(?:ValidateImmutable\(\s*field\.NewPath\("spec", "(\w+)"\))|(?:EnsureStringSlicesAreEquivalent\(m\.Spec\.AvailabilityZones)`)

func readCAPZ() (source, error) {
	folder, s, err := download("localstack/realcapz/capz", capzModule)
	if err != nil {
		return s, err
	}
	if s.Fields, err = fields(filepath.Join(folder, "api", "v1beta1"), "AzureManagedMachinePoolClassSpec"); err != nil {
		return s, err
	}
	webhook, err := os.ReadFile(filepath.Join(folder, "internal", "webhooks", "azuremanagedmachinepool_webhook.go"))
	if err != nil {
		return s, err
	}
	for _, found := range immutable.FindAllStringSubmatch(string(webhook), -1) {
		name := found[1]
		if name == "" {
			name = "availabilityZones"
		}
		s.Immutable = append(s.Immutable, name)
	}
	slices.Sort(s.Immutable)
	return s, nil
}

// download returns where the go command keeps the version of a module that a go.mod selects.
func download(in, module string) (string, source, error) {
	s := source{Module: module}
	list := exec.Command("go", "list", "-m", "-f", "{{.Version}}", module)
	list.Dir, list.Stderr = in, os.Stderr
	version, err := list.Output()
	if err != nil {
		return "", s, fmt.Errorf("find the version of %s: %w", module, err)
	}
	s.Version = strings.TrimSpace(string(version))
	get := exec.Command("go", "mod", "download", "-json", module+"@"+s.Version)
	get.Dir, get.Stderr = in, os.Stderr
	text, err := get.Output()
	if err != nil {
		return "", s, fmt.Errorf("download %s: %w", module, err)
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(text, &found); err != nil {
		return "", s, fmt.Errorf("read where %s is: %w", module, err)
	}
	return found.Dir, s, nil
}

// fields lists the JSON paths of a struct of a package, down to what is no struct of the same package.
func fields(folder, name string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	structs := map[string]*ast.StructType{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, isStruct := spec.Type.(*ast.StructType); isStruct {
					structs[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	if structs[name] == nil {
		return nil, fmt.Errorf("%s has no struct %s", folder, name)
	}
	paths := walk(structs, "", name)
	slices.Sort(paths)
	return paths, nil
}

func walk(structs map[string]*ast.StructType, prefix, name string) []string {
	var paths []string
	for _, f := range structs[name].Fields.List {
		if f.Tag == nil {
			continue
		}
		tag, _ := strconv.Unquote(f.Tag.Value)
		field, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		kind := f.Type
		if pointer, ok := kind.(*ast.StarExpr); ok {
			kind = pointer.X
		}
		if inner, ok := kind.(*ast.Ident); ok && structs[inner.Name] != nil {
			paths = append(paths, walk(structs, prefix+field+".", inner.Name)...)
			continue
		}
		paths = append(paths, prefix+field)
	}
	return paths
}
