(defn setup [n] n)

(defn build [n]
  (setv v [])
  (for [i (range n)]
    (.append v (* i 3)))
  v)

(defn main [n]
  (setv v (build n)
        total 0)
  (for [i (range 0 (len v) 2)]
    (+= total (get v i)))
  total)
