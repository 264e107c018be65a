package v1alpha1

// AddonKind is a kind of object that says how an add-on gets into clusters.
// +kubebuilder:validation:Enum=ClusterResourceSet;HelmChartProxy;HelmRelease;Kustomization;Application
type AddonKind string

const (
	// AddonKindClusterResourceSet is Cluster API's own, for manifests. It selects Clusters of its namespace by their labels.
	AddonKindClusterResourceSet AddonKind = "ClusterResourceSet"
	// AddonKindHelmChartProxy is that of Cluster API's add-on provider for Helm. It selects Clusters of its namespace by their labels.
	AddonKindHelmChartProxy AddonKind = "HelmChartProxy"
	// AddonKindHelmRelease is Flux's, one object per cluster, which somebody else makes.
	AddonKindHelmRelease AddonKind = "HelmRelease"
	// AddonKindKustomization is Flux's, one object per cluster, which somebody else makes.
	AddonKindKustomization AddonKind = "Kustomization"
	// AddonKindApplication is Argo CD's, one object per cluster, which somebody else makes, such as an ApplicationSet.
	AddonKindApplication AddonKind = "Application"
)

// WorkloadClusterAddon is one add-on that the cluster is not ready without. Fleetwright installs nothing itself: it puts labels on the Cluster by
// which the add-on's installer finds it, waits for what comes before it, and asks how the add-on is.
//
// +kubebuilder:validation:XValidation:rule="!has(self.namespace) || !(self.kind in ['ClusterResourceSet', 'HelmChartProxy'])",message="a ClusterResourceSet or HelmChartProxy selects Clusters of its own namespace only: leave namespace out"
type WorkloadClusterAddon struct {
	// name of the add-on. When its turn has come, the Cluster gets label addons.fleetwright.io/<name>: enabled.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// kind of the object that installs it.
	// +required
	Kind AddonKind `json:"kind,omitempty"`

	// object is the name of that object. For a ClusterResourceSet or a HelmChartProxy the add-on's name, for the other kinds <cluster>-<add-on> if
	// it is not set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Object string `json:"object,omitempty"`

	// namespace of that object, for example argocd. The cluster's if it is not set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace,omitempty"`

	// clusterLabels go on the Cluster as well when the add-on's turn has come, for a selector that exists already.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=8
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('fleetwright.io/') && !k.startsWith('addons.fleetwright.io/') && !k.startsWith('cluster.x-k8s.io/'))",message="labels under fleetwright.io/, addons.fleetwright.io/ and cluster.x-k8s.io/ are reserved"
	ClusterLabels map[string]LabelValue `json:"clusterLabels,omitempty"`

	// after are add-ons that have to be healthy before this one's turn comes.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=40
	After []string `json:"after,omitempty"`

	// kubernetesVersions are the versions of Kubernetes with which the add-on works, for example ">=1.32.0 <1.36.0". The control plane is not
	// upgraded to another one while this says so. Any if it is not set.
	// +optional
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[0-9A-Za-z.<>=!| -]+$`
	KubernetesVersions string `json:"kubernetesVersions,omitempty"`

	// health are objects in the workload cluster that show how the add-on is, for installers that only apply: a ClusterResourceSet knows that
	// its manifests were taken, not that they work. None if it is not set.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Health []AddonHealthObject `json:"health,omitempty"`
}

// AddonHealthObject is an object in the workload cluster. It is asked in the way of kstatus.
type AddonHealthObject struct {
	// apiVersion of the object, for example apps/v1.
	// +required
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^([a-z0-9.-]+/)?v[0-9a-z]+$`
	APIVersion string `json:"apiVersion,omitempty"`

	// kind of the object, for example DaemonSet.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z0-9]*$`
	Kind string `json:"kind,omitempty"`

	// namespace of the object. None if it is not set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace,omitempty"`

	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}
