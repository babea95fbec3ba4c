(defn descend [n]
  (if (= n 0)
      0
      (+ 1 (descend (- n 1)))))

(defn setup [n] n)

(defn main [n]
  (setv total 0)
  (for [_ (range 40)]
    (+= total (descend n)))
  total)
