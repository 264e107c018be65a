package controlplane

import (
	"fmt"

	apimachineryversion "k8s.io/apimachinery/pkg/version"
	"k8s.io/apiserver/pkg/util/compatibility"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	basecompatibility "k8s.io/component-base/compatibility"
)

// Version is the Kubernetes release the API servers are built from and report. Cluster API refuses to work with the placeholder that
// Kubernetes reports when it was not built by its own scripts.
const Version = "v1.36.3"

// release reports Version. Everything that decides about APIs and features by version is the embedded type's.
type release struct {
	basecompatibility.MutableEffectiveVersion
}

// Info is what /version answers.
func (r release) Info() *apimachineryversion.Info {
	info := r.MutableEffectiveVersion.Info()
	if info != nil {
		info.GitVersion, info.GitCommit, info.GitTreeState = Version, "", ""
	}
	return info
}

// newRegistry returns a registry for one server. Kubernetes' default one is shared by the process and cannot be set twice.
func newRegistry() (basecompatibility.ComponentGlobalsRegistry, error) {
	registry := basecompatibility.NewComponentGlobalsRegistry()
	gates := utilfeature.DefaultMutableFeatureGate.DeepCopy()
	if err := registry.Register(basecompatibility.DefaultKubeComponent, release{compatibility.DefaultBuildEffectiveVersion()}, gates); err != nil {
		return nil, fmt.Errorf("register Kubernetes %s: %w", Version, err)
	}
	return registry, nil
}

// ReportVersion makes a kube-apiserver command of this process report Version, as servers made by Start do. Call it once,
// before Kubernetes' NewAPIServerCommand.
func ReportVersion() error {
	registry := compatibility.DefaultComponentGlobalsRegistry
	registry.Reset()
	if err := registry.Register(basecompatibility.DefaultKubeComponent, release{compatibility.DefaultBuildEffectiveVersion()}, utilfeature.DefaultMutableFeatureGate); err != nil {
		return fmt.Errorf("register Kubernetes %s: %w", Version, err)
	}
	return nil
}
