(defn setup [n]
  (lfor  i (range n)  (% (* i 7919) 1009)))

(defn main [ks]
  (setv counts {})
  (for [k ks]
    (setv (get counts k) (+ (.get counts k 0) 1)))
  (+ (* 1000000 (len counts)) (get counts 0) (get counts 1)))
