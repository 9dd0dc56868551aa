"""Purchase clusters: groups of customers who buy the same kinds of items, whatever they spend."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

_TOPICS = 20
_STARTS = 5


def cluster_purchases(bought_NI: csr_array, k: int, *, seed: int) -> NDArray[np.int64]:
    """Cluster n customers (n,), 0 the largest cluster, by a matrix that is 1 where a customer bought an item, else 0.

    Rare items count more (idf), a customer's number of items does not; distances are measured along the strongest
    directions of all customers (latent semantic analysis, Deerwester et al. 1990).
    """
    owners_I = np.maximum(np.asarray(bought_NI.sum(axis=0)).ravel(), 1)
    weighed_NI = normalize(bought_NI @ diags_array(np.log(bought_NI.shape[0] / owners_I) + 1e-9))
    directions = min(_TOPICS, min(bought_NI.shape) - 1)
    with threadpool_limits(limits=1):  # as in kmeans: sums of several threads differ from run to run
        near_NT = normalize(TruncatedSVD(directions, random_state=seed).fit_transform(weighed_NI))
        label_N = KMeans(k, n_init=_STARTS, random_state=seed).fit_predict(near_NT)
    rank_K = np.argsort(np.argsort(-np.bincount(label_N, minlength=k), kind="stable"), kind="stable")
    return np.asarray(rank_K[label_N], np.int64)
