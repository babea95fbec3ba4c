(defn setup [n] n)

(defn main [n]
  (setv total 0)
  (for [i (range n)]
    (setv total (% (+ (* total 31) i) 1000003)))
  total)
